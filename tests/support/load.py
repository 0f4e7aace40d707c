"""Visitors of a running site, many at once: what each got, when, and how long it took."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

BROKEN = 599
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One page. `status` is 599 if the connection broke or nothing came within the patience."""

    path: str
    status: int
    started: float
    seconds: float
    body: bytes


@dataclass
class Load:
    """Visitors that ask for these pages in turn, without a pause, until they are sent home.

    They run in a thread with an event loop of its own. Read `answers` after `running` has ended,
    or a slice of it meanwhile.
    """

    port: int
    paths: Sequence[str]
    visitors: int = 8
    cookie: str = ""
    patience: float = 15.0
    answers: list[Answer] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Let the visitors come for as long as the block lasts; their failures are raised."""
        stop = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._visit_all(stop))
            except BaseException as error:  # noqa: BLE001 - handed to the caller below
                failures.append(error)

        thread = threading.Thread(target=run, name="visitors", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join(self.patience + 10)
        if failures:
            raise failures[0]

    async def _visit_all(self, stop: threading.Event) -> None:
        await asyncio.gather(*(self._visit(number, stop) for number in range(self.visitors)))

    async def _visit(self, number: int, stop: threading.Event) -> None:
        line = Line(self.port, self.cookie)
        # Each begins elsewhere, so that all pages are asked for at any time.
        for path in itertools.islice(itertools.cycle(self.paths), number, None):
            if stop.is_set():
                break
            started = time.monotonic()
            try:
                status, body = await asyncio.wait_for(line.get(path), self.patience)
            except (TimeoutError, OSError, asyncio.IncompleteReadError):
                line.close()
                status, body = BROKEN, b""
            self.answers.append(Answer(path, status, started, time.monotonic() - started, body))
        line.close()


class Line:
    """One connection that is kept: just enough of HTTP/1.1 to cost little beside the site."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._port = port
        extra = f"Cookie: {cookie}\r\n" if cookie else ""
        self._headers = f"Host: localhost:{port}\r\nAccept-Language: en\r\n{extra}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body. Raises OSError or IncompleteReadError if the line breaks."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, limit=2**20
            )
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._headers}".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await self._body(self._reader, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), body

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await reader.readexactly(int(headers.get("content-length", "0")))
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(pieces)

    def close(self) -> None:
        """Hang up; the next `get` calls again."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


@dataclass(frozen=True)
class Summary:
    """What a crowd got: pages a second, milliseconds at the median, at p99 and at most."""

    pages: int
    per_second: float
    median_ms: float
    p99_ms: float
    worst_ms: float
    failures: int


def summarise(answers: Iterable[Answer], *, seconds: float) -> Summary:
    """Sum up the answers of a span of so many seconds; 5xx and broken lines are failures."""
    counted = list(answers)
    statuses = Counter(answer.status for answer in counted)
    times = sorted(answer.seconds * 1000 for answer in counted) or [0.0]
    return Summary(
        pages=len(counted),
        per_second=len(counted) / seconds,
        median_ms=statistics.median(times),
        p99_ms=times[min(len(times) - 1, int(len(times) * 0.99))],
        worst_ms=times[-1],
        failures=sum(n for status, n in statuses.items() if status >= SERVER_ERROR),
    )
