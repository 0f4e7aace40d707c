"""What may be the name of a person: leaves, imported by models and forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

USERNAME_MIN, USERNAME_MAX = 3, 30
# ASCII only, so that no name can be mistaken for another that is written in other letters.
USERNAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
# Names that visitors would take for the site speaking, or that would read badly in an address.
# fmt: off
RESERVED = frozenset({
    "about", "abuse", "account", "accounts", "admin", "administrator", "all", "anonymous",
    "api", "assets", "blog", "contact", "demo", "everybody", "everyone", "explore", "feed",
    "feeds", "health", "healthz", "help", "home", "hostmaster", "inbox", "info", "live",
    "localhost", "login", "logout", "mail", "mailer-daemon", "media", "moderator", "newest",
    "no-reply", "nobody", "noreply", "notifications", "null", "official", "operator", "owner",
    "people", "photo", "photos", "policy", "popular", "postmaster", "privacy", "readyz", "root",
    "safelight", "search", "security", "settings", "signup", "site", "staff", "static",
    "support", "system", "team", "terms", "undefined", "upload", "user", "users", "webmaster",
    "www", "you",
})
# fmt: on


# Joiners belong to emoji and to several scripts. Every other invisible character can turn around
# what stands beside it, or make two names look the same.
JOINERS = {"\u200c", "\u200d"}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def refuse_reserved(name: str) -> None:
    """Raise ValidationError for a name of the site itself, whatever signs stand between."""
    if name.lower() in RESERVED or re.sub(r"[_.-]", "", name.lower()) in RESERVED:
        raise ValidationError(_("This name is kept for the site itself."), code="reserved")


def refuse_invisible(text: str) -> None:
    """Raise ValidationError for control and invisible characters in a line of text."""
    if any(unicodedata.category(sign) in UNSEEN and sign not in JOINERS for sign in text):
        raise ValidationError(_("Please leave out invisible characters."), code="invisible")


def refuse_invisible_in_lines(text: str) -> None:
    """As `refuse_invisible`, for text that has line breaks."""
    refuse_invisible(text.replace("\r\n", "").replace("\n", ""))


def refuse_foreign_letters(address: str) -> None:
    """Raise ValidationError for an address with letters other than ASCII.

    The same word in other letters would be another address that looks the same; and the cases of
    such letters are not the same everywhere, so that one address could become two.
    """
    if not address.isascii():
        raise ValidationError(
            _("Please write the address in letters a to z; a domain can be written as xn--…"),
            code="ascii",
        )


username_validators: list[Callable[[str], None]] = [
    MinLengthValidator(USERNAME_MIN),
    RegexValidator(
        rf"\A{USERNAME}\Z",
        _("Use letters a to z, digits and the signs . _ - between them."),
        code="letters",
    ),
]
