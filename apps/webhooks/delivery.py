"""One call to an outside service: signed, bounded in time and size, never into the private network.

Signatures are those of the Standard Webhooks specification (standardwebhooks.com): receivers find
libraries for it in every language. The address is resolved here and the connection made to exactly
what was checked, so a name that resolves to something else a moment later (DNS rebinding) gains
nothing. Redirects are not followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from apps.webhooks.exceptions import Forbidden, NoAnswer, Refused
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.validators import is_public, may_be_private, split_url

CONNECT_SECONDS = 3.0
# For all of it, however slowly the bytes drip.
TOTAL_SECONDS = 10.0
ANSWER_BYTES = 2000
LONGEST_RETRY_AFTER = 3600.0
CALM_DOWN = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: its status and the beginning of its text."""

    status: int
    text: str


def post(delivery: Delivery, *, seconds: float = TOTAL_SECONDS) -> Answer:
    """Send one event. Raises Forbidden, NoAnswer, or Refused for a status that is no success."""
    webhook, body = delivery.webhook, body_of(delivery)
    line = _connect(webhook)
    with _cut_after(seconds, line) as late:
        try:
            line.request("POST", _path(webhook.url), body, headers_for(delivery, body))
            response = line.getresponse()
            text = response.read(ANSWER_BYTES).decode("utf-8", "replace").replace("\0", "")
        except (OSError, HTTPException) as error:
            if late.is_set():
                raise NoAnswer(f"It took longer than {seconds:.0f} s.") from error
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
    if not 200 <= response.status < 300:  # noqa: PLR2004 - what HTTP calls successful
        raise Refused(response.status, wait=_retry_after(response))
    return Answer(response.status, text)


def body_of(delivery: Delivery) -> bytes:
    """Return the bytes that are signed and sent."""
    event = {
        "type": delivery.topic,
        "timestamp": delivery.created_at,
        "data": delivery.payload,
    }
    return json.dumps(event, cls=DjangoJSONEncoder, separators=(",", ":")).encode()


def headers_for(delivery: Delivery, body: bytes) -> Mapping[str, str]:
    """Return the headers of one attempt: the signature covers id, time and body."""
    name, now = f"msg_{delivery.uuid.hex}", str(int(time.time()))
    signed = b".".join((name.encode(), now.encode(), body))
    signatures = [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in delivery.webhook.signing_keys()
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Safelight/{settings.VERSION}",
        "Webhook-Id": name,
        "Webhook-Timestamp": now,
        "Webhook-Signature": " ".join(signatures),
        "Connection": "close",
    }


class _Line(HTTPConnection):
    """A connection to an address that was checked, by the name that was asked for."""

    def __init__(self, host: str, address: str, port: int, *, secure: bool) -> None:
        self.default_port = 443 if secure else 80
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._address = address
        self._secure = secure

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), timeout=CONNECT_SECONDS)
        self.sock = raw
        if self._secure:
            context = ssl.create_default_context()
            # Shaken afterwards, so that the deadline finds a socket that it can cut.
            self.sock = context.wrap_socket(
                raw, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()
        self.sock.settimeout(TOTAL_SECONDS)


def _connect(webhook: Webhook) -> _Line:
    parts = split_url(webhook.url)
    if parts is None or not parts.hostname or parts.scheme not in {"http", "https"}:
        raise Forbidden("Its address is none that can be called.")
    secure = parts.scheme == "https"
    if not secure and not may_be_private():
        raise Forbidden("Its address is not https.")
    port = parts.port or (443 if secure else 80)
    host = _ascii(parts.hostname)
    return _Line(host, _resolve(host, port), port, secure=secure)


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise Forbidden("Its address has a host name that does not exist.") from error


def _resolve(host: str, port: int) -> str:
    """Return the address to connect to. One that is private forbids them all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"Its host name cannot be resolved: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not may_be_private():
        for address in addresses:
            if not is_public(ipaddress.ip_address(address.partition("%")[0])):
                raise Forbidden("Its host name leads to an address that is not public.")
    return addresses[0]


def _path(url: str) -> str:
    parts = split_url(url)
    path, query = (parts.path or "/", parts.query) if parts else ("/", "")
    target = f"{path}?{query}" if query else path
    # A person may have typed letters that a request line cannot hold.
    return "".join(c if c.isascii() else _escaped(c) for c in target)


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


@contextlib.contextmanager
def _cut_after(seconds: float, line: _Line) -> Iterator[threading.Event]:
    """End the connection when the time is over. The event says that it was."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        sock: Any = line.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Of the plain socket: the one of TLS would change what the other thread works on.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        line.close()


def _retry_after(response: HTTPResponse) -> float | None:
    """Return the seconds that a busy service asks for, within reason."""
    asked = response.getheader("Retry-After", "")
    if response.status not in CALM_DOWN or not asked.isascii() or not asked.isdigit():
        return None
    return min(float(asked[:9]), LONGEST_RETRY_AFTER)
