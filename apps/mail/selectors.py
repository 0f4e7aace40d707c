from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from itertools import islice

import msgspec
from django.conf import settings

from apps.mail.models import Letter

INBOX_LETTERS = 200


def find_refusal(*, to: str) -> Letter | None:
    """Return the last letter to an address if it could not be delivered, else None.

    For the person whose address it is, and for staff: it says whether an address works.
    """
    last = Letter.objects.to_address(to).settled().order_by("-id").first()
    return last if last and last.state != Letter.State.SENT else None


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as the local SMTP server of a development machine took it."""

    key: str
    to: str
    sender: str
    subject: str
    date: str
    text: str
    html: str
    links: list[str]


def list_received(*, limit: int = INBOX_LETTERS) -> list[Received]:
    """Return what lies in INBOX_DIR, newest first."""
    try:
        folder = mailbox.Maildir(settings.INBOX_DIR, create=False)
    except mailbox.NoSuchMailboxError:
        return []
    newest = sorted(folder.keys(), key=_arrival, reverse=True)
    return list(islice(_read(folder, newest), limit))


def find_received(*, key: str) -> Received | None:
    """Return one letter of INBOX_DIR, None if there is no such."""
    try:
        folder = mailbox.Maildir(settings.INBOX_DIR, create=False)
    except mailbox.NoSuchMailboxError:
        return None
    # Only a key that the folder lists is opened: what comes from the address bar is no path.
    return next(_read(folder, [key]), None) if key in folder.keys() else None  # noqa: SIM118


def _arrival(key: str) -> tuple[int, ...]:
    # <seconds>.M<microseconds>P<process>Q<number>.<host>: not padded, so not in order as text.
    found = re.match(r"(\d+)\.M(\d+)P\d+Q(\d+)", key)
    return tuple(int(number) for number in found.groups()) if found else (0, 0, 0)


def _read(folder: mailbox.Maildir, keys: list[str]) -> Iterator[Received]:
    for key in keys:
        try:
            raw = folder.get_bytes(key)
        except KeyError:  # deleted since the folder was listed
            continue
        message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        text, html = _body(message, "plain"), _body(message, "html")
        yield Received(
            key=key,
            to=str(message["X-RcptTo"] or parseaddr(str(message["To"]))[1]),
            sender=str(message["From"] or ""),
            subject=str(message["Subject"] or ""),
            date=str(message["Date"] or ""),
            text=text,
            html=html,
            links=links_of(text, html),
        )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        content: str = part.get_content()
    except (LookupError, UnicodeError):  # a character set that nobody knows
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return content.replace("\r\n", "\n")


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.addresses += [value for name, value in attrs if name == "href" and value]


def links_of(text: str, html: str) -> list[str]:
    """Return the http(s) links of both parts in their order, each once."""
    anchors = _Anchors()
    anchors.feed(html)
    plain = (link.rstrip(".,;:!?)") for link in re.findall(r"https?://[^\s<>\"']+", text))
    hrefs = (link for link in anchors.addresses if link.startswith(("http://", "https://")))
    return list(dict.fromkeys([*plain, *hrefs]))
