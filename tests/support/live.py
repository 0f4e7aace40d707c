"""A browser that listens to the live process, as many at once as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The answer was not a stream."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.status = status


@dataclass
class Listener:
    """One open stream. `async with listen(port, "photo:…", cookie=…) as listener`."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: dict[str, str] = field(default_factory=dict)
    _rest: str = ""

    async def event(self, *, seconds: float = 60) -> dict[str, Any]:
        """Return the next event with its `data` read; heartbeats are passed over."""
        async with asyncio.timeout(seconds):
            while True:
                while "\n\n" not in self._rest:
                    chunk = await self._chunk()
                    if not chunk:
                        raise ConnectionError("the stream has ended")
                    self._rest += chunk
                text, self._rest = self._rest.split("\n\n", 1)
                fields = dict(line.split(": ", 1) for line in text.splitlines() if line[0] != ":")
                if "data" in fields:
                    return {**fields, "data": json.loads(fields["data"])}

    async def state(self, *, seconds: float = 60) -> str:
        """Return the state of the photo that the next event tells."""
        event = await self.event(seconds=seconds)
        return str(event["data"]["state"]["state"])

    async def ended(self, *, seconds: float = 60) -> bool:
        """Wait for the end of the stream."""
        async with asyncio.timeout(seconds):
            while await self._chunk():
                pass
        return True

    async def _chunk(self) -> str:
        size = int(await self.reader.readline() or b"0", 16)
        text = (await self.reader.readexactly(size)).decode()
        await self.reader.readline()
        return text

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def listen(port: int, *topics: str, **headers: str) -> Listener:
    """Open a stream. Raises Refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        f"GET /live/?{'&'.join(f'topic={topic}' for topic in topics)} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    status = int((await reader.readline()).split()[1])
    listener = Listener(reader, writer)
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(": ")
        listener.headers[name.lower()] = value
    if status != 200:
        words = (await reader.readexactly(int(listener.headers["content-length"]))).decode()
        writer.close()
        await writer.wait_closed()
        raise Refused(status, words)
    return listener


@asynccontextmanager
async def crowd(
    count: int, port: int, *topics: str, **headers: str
) -> AsyncIterator[list[Listener]]:
    """Open many streams to the same topics."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(await listen(port, *topics, **headers))
            for _ in range(count)
        ]
