"""What every page needs to be drawn: the theme, the name of the site, classes computed from data.

The strict Content-Security-Policy forbids style attributes, so a figure that decides the layout
(the ratio of a photo, the tint of an avatar) becomes one of a limited set of classes.
"""

from __future__ import annotations

import zlib
from typing import Any

from django import template
from django.conf import settings

register = template.Library()

THEMES = ("light", "dark")
RATIO_MIN, RATIO_MAX, RATIO_UNKNOWN = 40, 320, 150
TINTS = 8


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """Return the theme this browser asked for by its cookie, or "auto".

    Rendered by the server so that a page never flashes in the wrong colours. The page of a failed
    request is drawn without a request.
    """
    request = context.get("request")
    wanted = request.COOKIES.get("theme", "") if request is not None else ""
    return wanted if wanted in THEMES else "auto"


@register.simple_tag(takes_context=True)
def color_scheme(context: template.Context) -> str:
    """Return the value of `<meta name="color-scheme">` for the theme of this browser."""
    wanted = theme(context)
    return "light dark" if wanted == "auto" else wanted


@register.simple_tag
def site_name() -> str:
    return str(settings.SITE_NAME)


@register.simple_tag
def has_inbox() -> bool:
    """Whether the letters of this site end in the inbox of a development machine."""
    return bool(settings.DEBUG and settings.INBOX_DIR)


@register.filter
def ratio_class(picture: Any) -> str:
    """Return the class that holds width ÷ height of a picture, such as `ratio-150` for 3:2.

    Whole percents, so the frame is at most 1.3 % off; a picture whose size is not known yet
    stands as 3:2, and a strip or a tower is cut to a shape that a row can hold.
    """
    width, height = getattr(picture, "width", None), getattr(picture, "height", None)
    if not width or not height:
        return f"ratio-{RATIO_UNKNOWN}"
    return f"ratio-{min(max(round(100 * width / height), RATIO_MIN), RATIO_MAX)}"


@register.filter
def initials(name: str) -> str:
    """Return one or two letters that stand for a person without an avatar."""
    words = [word for word in name.replace("_", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


@register.filter
def tint(name: str) -> str:
    """Return the class of the colour that always goes with this name, such as `tint-3`."""
    return f"tint-{zlib.crc32(name.casefold().encode()) % TINTS}"
