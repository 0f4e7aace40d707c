"""A letter as a message: bytes for the wire, always the same for the same letter."""

from __future__ import annotations

import re
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from django.conf import settings

from apps.mail.models import Letter


def compose(letter: Letter) -> EmailMessage:
    """Build the message. No header can be injected: EmailMessage refuses a line break in one."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = _header(address, name)
    message["To"] = _header(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.created_at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    # Quoted-printable: lines of a safe length and seven bits on every path.
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    # Last, as setting a content takes away the headers of the one before.
    message["Content-Language"] = letter.language
    return message


def on_the_wire(message: EmailMessage, *, is_utf8: bool) -> bytes:
    """The message as it follows DATA, without the final dot; `is_utf8` for SMTPUTF8 headers."""
    body = message.as_bytes(policy=policy.SMTP.clone(utf8=is_utf8))
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", body)


def sender() -> str:
    """The envelope's sender."""
    return envelope(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def envelope(address: str) -> str:
    """The address with its domain in ASCII (IDNA), as every server understands it."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _header(address: str, name: str = "") -> Address:
    local, _, domain = envelope(address).rpartition("@")
    return Address(display_name=name, username=local, domain=domain)
