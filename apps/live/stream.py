"""The ASGI side: what a browser asks, and the stream it gets. Knows no Django.

`GET /live/?topic=photo:<id>&topic=…` answers with Server-Sent Events:

    event: state                    the state of a topic: first the current one, then each new one
    data: {"topic": "photo:…", "state": {…}}

    event: gone                     what the topic was about is no more
    data: {"topic": "photo:…"}

`id` names what the browser has been told. One that returns is told the current state again, so it
misses nothing whatever happened meanwhile; `retry` is drawn, so they do not all return at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from apps.live.hub import Hub, Key, Listener, Update
from apps.live.lines import Address, hang_up
from apps.live.seats import Seats, Taken

# What the ASGI specification calls them; its messages are open dictionaries.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]

# What a browser may still need to take what is on its way to it, once the process is to stop.
LAST_CALL = 1.0

logger = logging.getLogger(__name__)


class Question(NamedTuple):
    """What a browser sent, as far as it matters for whether it may listen."""

    cookies: str
    languages: str
    topics: list[str]


class Admission(NamedTuple):
    """What this browser may listen to, and whose it is: "" of somebody who is not logged in."""

    keys: list[Key]
    person: str


Admit = Callable[[Question], Awaitable[Admission]]


class Refused(Exception):
    """The request gets this answer and no stream."""

    def __init__(self, status: int, words: str, *, headers: Iterable[tuple[bytes, bytes]] = ()):
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = list(headers)


class Stalled(Exception):
    """The browser reads nothing, and what is for it fills all buffers on the way."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    # Heartbeats keep proxies from closing a quiet stream and find browsers that went away.
    heartbeat: float = 15.0
    # A stream ends after this, and the browser asks again: so a lost permission ends it too.
    lifetime: float = 600.0
    # A browser that takes nothing for so long has gone without saying so, or wants our memory.
    stalled: float = 30.0
    listeners: int = 5000
    topics: int = 100
    # Open pages of one person, and of all who come from one address: a school has one for all.
    per_person: int = 30
    per_address: int = 500


class Door:
    """The HTTP half of the live process: checks, admits, streams."""

    def __init__(
        self, *, hub: Hub, admit: Admit, origin: str, limits: Limits, behind_proxy: bool = False
    ) -> None:
        self._hub = hub
        self._admit = admit
        self._origin = origin.encode()
        self._limits = limits
        self._behind_proxy = behind_proxy
        self._people = Seats(limits.per_person)
        self._addresses = Seats(limits.per_address)
        self._writing: set[asyncio.Timeout] = set()
        self._lines: set[Address | None] = set()
        self._end: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Wait no longer for browsers that do not read: the process is to stop."""
        soon = asyncio.get_running_loop().time() + LAST_CALL
        for patience in self._writing:
            patience.reschedule(soon)
        # Taken now: streams end before the task begins, and their lines may stay.
        lines = [line for line in self._lines if line is not None]
        self._end = asyncio.create_task(self._let_go(lines))

    async def _let_go(self, lines: list[Address]) -> None:
        """Reset what is still open then: the server would wait until its last words are read."""
        await asyncio.sleep(LAST_CALL)
        await asyncio.to_thread(hang_up, *lines)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        crossing = self._cross_origin(headers)
        if scope["path"] == "/healthz":
            await _answer(send, 200, "ok", crossing)
            return
        try:
            # The address first: that costs nothing, and who it is costs a query.
            with self._addresses.one_for(self._address(scope, headers)):
                admission = await self._admission_of(scope, headers)
                with self._people.one_for(admission.person), self._noted(_line_of(scope)):
                    await self._stream(admission.keys, headers, crossing, receive, send)
        except Stalled:
            await self._cut_off(scope)
        except Taken:
            wait = [(b"retry-after", b"60"), *crossing]
            await _answer(send, 429, "You are listening in many places already.", wait)
        except Refused as refusal:
            await _answer(send, refusal.status, refusal.words, [*refusal.headers, *crossing])

    def _address(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Return where the browser is: behind a proxy as that wrote it, last in the list."""
        if self._behind_proxy:
            return headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
        return str((scope.get("client") or [""])[0])

    def _cross_origin(self, headers: dict[bytes, bytes]) -> Headers:
        common = [(b"vary", b"Origin"), (b"cache-control", b"no-store")]
        if headers.get(b"origin") != self._origin:
            return common
        return [
            *common,
            (b"access-control-allow-origin", self._origin),
            (b"access-control-allow-credentials", b"true"),
        ]

    async def _admission_of(self, scope: Scope, headers: dict[bytes, bytes]) -> Admission:
        admission = await self._admit(self._understand(scope, headers))
        if not admission.keys:
            raise Refused(404, "There is nothing here for you to listen to.")
        return admission

    def _understand(self, scope: Scope, headers: dict[bytes, bytes]) -> Question:
        if scope["path"] != "/live/":
            raise Refused(404, "Not found.")
        if scope["method"] != "GET":
            raise Refused(405, "Only GET.", headers=[(b"allow", b"GET")])
        # The cookie comes along from any page; only our own pages may use it.
        if headers.get(b"origin", self._origin) != self._origin:
            raise Refused(403, "Another site may not listen in your name.")
        topics = parse_qs(scope["query_string"].decode("latin-1")).get("topic", [])
        if not 1 <= len(topics) <= self._limits.topics:
            raise Refused(400, f"Name 1 to {self._limits.topics} topics.")
        if len(self._hub) >= self._limits.listeners:
            raise Refused(503, "Too many are listening.", headers=[(b"retry-after", b"30")])
        return Question(
            cookies=headers.get(b"cookie", b"").decode("latin-1"),
            languages=headers.get(b"accept-language", b"").decode("latin-1"),
            topics=list(dict.fromkeys(topics)),
        )

    async def _stream(
        self,
        keys: list[Key],
        headers: dict[bytes, bytes],
        crossing: Headers,
        receive: Receive,
        send: Send,
    ) -> None:
        listener = self._hub.join(keys)
        leaving = asyncio.create_task(_close_when_left(receive, listener))
        try:
            await _begin(send, crossing)
            with suppress(OSError):  # a broken connection
                await self._tell(listener, headers.get(b"last-event-id", b""), send)
        finally:
            leaving.cancel()
            self._hub.leave(listener)
            await _finish(send)

    async def _tell(self, listener: Listener, seen: bytes, send: Send) -> None:
        """Tell all news until the listener is closed or has lived its life. Raises Stalled."""
        clock = asyncio.get_running_loop().time
        ends = clock() + self._limits.lifetime
        await self._write(send, f"retry: {random.randint(1000, 5000)}\n\n".encode())  # noqa: S311
        # Looked at between two writes: one that is cut in its middle would look like no stall.
        while not listener.closed and (left := ends - clock()) > 0:
            updates = await listener.wait(seconds=min(self._limits.heartbeat, left))
            mark = listener.fingerprint().encode()
            # One that returns and was told just this already has the page right.
            known, seen = mark == seen, b""
            if updates and not known:
                await self._write(send, b"".join(encode(update, mark) for update in updates))
            elif not listener.closed:
                await self._write(send, b": still here\n\n")

    async def _write(self, send: Send, body: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.stalled) as patience:
                self._writing.add(patience)
                try:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                finally:
                    self._writing.discard(patience)
        except TimeoutError:
            raise Stalled from None

    @contextmanager
    def _noted(self, line: Address | None) -> Iterator[None]:
        """Know which lines are open."""
        self._lines.add(line)
        try:
            yield
        finally:
            self._lines.discard(line)

    async def _cut_off(self, scope: Scope) -> None:
        """End the connection, which the browser's refusal to read would keep open."""
        line = _line_of(scope)
        cut = 0 if line is None else await asyncio.to_thread(hang_up, line)
        logger.info("live.cut_off reset=%s", cut > 0)


def _line_of(scope: Scope) -> Address | None:
    """Return where the connection leads; None in HTTP/2, where it is that of other streams too."""
    if scope.get("http_version", "").startswith("2"):
        return None
    host, port = (scope.get("client") or ("", ""))[:2]
    return str(host), str(port)


def encode(update: Update, mark: bytes) -> bytes:
    """One event of the stream. JSON without line breaks, so it is one `data` line."""
    topic = json.dumps(update.topic).encode()
    if update.state is None:
        return b'id: %b\nevent: gone\ndata: {"topic":%b}\n\n' % (mark, topic)
    return b'id: %b\nevent: state\ndata: {"topic":%b,"state":%b}\n\n' % (
        mark,
        topic,
        update.state,
    )


async def _begin(send: Send, crossing: Headers) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"x-accel-buffering", b"no"),
                *crossing,
            ],
        }
    )


async def _finish(send: Send) -> None:
    # Often nobody is there any more to be told.
    with suppress(TimeoutError, OSError, RuntimeError):
        async with asyncio.timeout(1):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _close_when_left(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close()


async def _answer(send: Send, status: int, words: str, headers: Headers) -> None:
    body = words.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
