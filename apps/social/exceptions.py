"""Why somebody cannot do what they asked for; `str()` is what they read.

SocialError
├── NotConfirmed
├── NotPublished
├── Oneself
└── TooFast
"""

from __future__ import annotations

from django.utils.translation import gettext as _


class SocialError(Exception):
    """Something that the person who asked has to know."""


class NotConfirmed(SocialError):
    """Only somebody whose address is confirmed takes part."""

    def __str__(self) -> str:
        return _("Confirm your address first: then you can take part.")


class NotPublished(SocialError):
    """The photo is not there for others: still developing, failed, or deleted meanwhile."""

    def __str__(self) -> str:
        return _("This photo is not published.")


class Oneself(SocialError):
    """People do not follow themselves."""

    def __str__(self) -> str:
        return _("You see your own photos already.")


class TooFast(SocialError):
    """More comments in a minute than a person writes."""

    def __str__(self) -> str:
        return _("That was a lot in a short time. Wait a minute, then go on.")
