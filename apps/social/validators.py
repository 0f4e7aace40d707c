from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_LAYOUT = frozenset("\n\t")
_BLANK_LINES = re.compile(r"\n{3,}")


def tidy_text(text: str) -> str:
    """Write line ends one way, drop blanks at the ends, keep at most one empty line in a row."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def has_no_control_characters(text: str) -> None:
    """Raise ValidationError for what no keyboard writes and no page can show."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text if char not in _LAYOUT):
        raise ValidationError(_("This text has characters in it that cannot be shown."))


def is_readable(text: str) -> None:
    """Raise ValidationError for a text of which nothing would be seen."""
    if not any(unicodedata.category(char)[0] in "LNPS" for char in text):
        raise ValidationError(_("Write something first."))
