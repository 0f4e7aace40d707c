from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Looser than most forms: a person's form decides what an address of a person is. This keeps out
# what could break a header or an SMTP command, in any script (RFC 6531).
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]{1,64}")


def validate_address(address: str) -> None:
    """Raise ValidationError for what cannot be put on an envelope."""
    local, _at, domain = address.rpartition("@")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    is_host = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host)
    if not is_host or not _LOCAL.fullmatch(local):
        raise ValidationError(_("This is not an email address."), code="invalid")
