from __future__ import annotations

from django.utils.translation import gettext as _


class NameInUse(Exception):
    """A name of the demo belongs to somebody else."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username

    def __str__(self) -> str:
        return _("Somebody else is called %(name)s here: there can be no demo.") % {
            "name": self.username
        }
