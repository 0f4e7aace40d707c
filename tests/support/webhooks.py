"""A service outside, scripted: what it was told, and how it is to answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from apps.webhooks import services
from apps.webhooks.models import Webhook


class Told(NamedTuple):
    """One call that arrived whole."""

    path: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[BaseHTTPRequestHandler], None]


class Receiver:
    """An HTTP server on this machine. Each of `replies` answers one call; then all is well."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.replies: deque[Reply] = deque()
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def answer(self, status: int, text: str = "", **headers: str) -> None:
        """Answer the next call with this status."""

        def reply(request: BaseHTTPRequestHandler) -> None:
            body = text.encode()
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)

        self.replies.append(reply)

    def hang(self) -> None:
        """Take the next call and say nothing until `released`."""

        def reply(request: BaseHTTPRequestHandler) -> None:
            self.released.wait(30)

        self.replies.append(reply)

    def drip(self) -> None:
        """Answer the next call a byte at a time, for ever: no wait for one byte is long."""

        def reply(request: BaseHTTPRequestHandler) -> None:
            while not self.released.wait(0.05):
                request.wfile.write(b"H")

        self.replies.append(reply)

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append(Told(self.path, dict(self.headers), body))
                try:
                    if receiver.replies:
                        receiver.replies.popleft()(self)
                    else:
                        self.send_response(204)
                        self.end_headers()
                except OSError:
                    self.close_connection = True  # they had enough of us

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        return Handler


def make_webhook(url: str, *, pattern: str = "#", name: str = "newsroom") -> Webhook:
    return services.add_webhook(name=name, url=url, pattern=pattern)


def is_signed(told: Told, secret: str) -> bool:
    """Check a call as docs/messaging.md tells receivers to."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join(
        (told.headers["Webhook-Id"].encode(), told.headers["Webhook-Timestamp"].encode(), told.body)
    )
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    signatures = told.headers["Webhook-Signature"].split()
    return any(hmac.compare_digest(expected, given) for given in signatures)
