"""Open pages, in a process of their own, as hearing must not cost the one who measures.

And the count of what they hear.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.interleaved import percentile
from tests.support.live import Listener, listen

OPENED_AT_ONCE = 20
OPENED_SECONDS = 300
HEARD_SECONDS = 60
Of = tuple[str, str]


@dataclass
class Heard:
    """What the open pages of one person heard of one topic since the crowd was asked last."""

    # The number of events of each page, by the page's own number.
    events: Counter[int] = field(default_factory=Counter)
    # When each was heard, by a clock that all processes of the machine share.
    moments: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """So many pages, open in turn by each of these people. Every page asks for all topics.

    Of these, so many are its own: it may listen to them.
    """

    port: int
    cookies: dict[str, str]
    topics: list[str]
    own_topics: int
    count: int

    @contextmanager
    def listening(self) -> Iterator[Ear]:
        """Open the pages, and close them at the end of the block."""
        mine, theirs = multiprocessing.Pipe()
        # Not forked: this process has threads, and connections to the servers.
        process = multiprocessing.get_context("spawn").Process(
            target=_listen, args=(self, theirs), name="crowd", daemon=True
        )
        process.start()
        theirs.close()
        try:
            if not mine.poll(OPENED_SECONDS):
                raise SystemExit(f"the pages did not open within {OPENED_SECONDS} s")
            mine.recv()
            yield Ear(mine, self)
        finally:
            mine.close()
            process.join(30)
            process.kill()

    def owners(self) -> list[str]:
        """Return whose each page is, by the page's number."""
        people = list(self.cookies)
        return [people[number % len(people)] for number in range(self.count)]


class Ear:
    """Asks the crowd what it heard."""

    def __init__(self, line: Connection, crowd: Crowd) -> None:
        self._line = line
        self.pages = Counter(crowd.owners())

    def heard(self) -> dict[Of, Heard]:
        """Return what is new since the last call, by person and topic."""
        self._line.send(None)
        answer: dict[Of, Heard] = self._line.recv()
        return answer


@dataclass
class Tally:
    """What was due at pages, what they heard of it, after how long, and what else they heard."""

    due: int = 0
    heard: int = 0
    doubled: int = 0
    others: int = 0
    delays: list[float] = field(default_factory=list)

    def row(self, what: str) -> dict[str, object]:
        """Return it as a row of a table."""
        milliseconds = [delay * 1000 for delay in self.delays]
        return {
            "what": what,
            "due at pages": self.due,
            "heard": self.heard,
            "twice": self.doubled,
            "heard by others": self.others,
            "median ms": round(statistics.median(milliseconds)),
            "p99 ms": round(percentile(milliseconds, 0.99)),
            "worst ms": round(max(milliseconds)),
        }


def count(
    ear: Ear, tally: Tally, topic: str, entitled: set[str], happen: Callable[[], None]
) -> None:
    """Let something happen, wait until all who should have heard of it have, and add it up."""
    ear.heard()
    pages = sum(ear.pages[person] for person in entitled)
    events: Counter[int] = Counter()
    happen()
    began = time.monotonic()
    complete = False
    while not complete and time.monotonic() - began < HEARD_SECONDS:
        # Once more after the last has heard: somebody else may hear later.
        complete = len(events) == pages
        threading.Event().wait(0.05)
        for (person, heard_topic), heard in ear.heard().items():
            if heard_topic != topic or person not in entitled:
                tally.others += heard.events.total()
                continue
            events.update(heard.events)
            tally.delays += [moment - began for moment in heard.moments]
    tally.due += pages
    tally.heard += len(events)
    tally.doubled += events.total() - len(events)


def _listen(crowd: Crowd, line: Connection) -> None:
    asyncio.run(_scene(crowd, line))


async def _scene(crowd: Crowd, line: Connection) -> None:
    """Open the pages, then answer until the other end of the line is closed."""
    heard: dict[Of, Heard] = defaultdict(Heard)
    gate = asyncio.Semaphore(OPENED_AT_ONCE)
    async with AsyncExitStack() as stack:

        async def come(person: str) -> Listener:
            async with gate:
                page = await listen(crowd.port, *crowd.topics, cookie=crowd.cookies[person])
                for _ in range(crowd.own_topics):
                    await page.event()  # the states at the beginning are no news
            return await stack.enter_async_context(page)

        owners = crowd.owners()
        pages = await asyncio.gather(*map(come, owners))
        readers = [
            asyncio.create_task(_read(page, number, owners[number], heard))
            for number, page in enumerate(pages)
        ]
        line.send(len(pages))
        await _answer(line, heard)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def _read(page: Listener, number: int, person: str, heard: dict[Of, Heard]) -> None:
    while True:
        told = (await page.event(seconds=3600))["data"]
        of = heard[person, told["topic"]]
        of.events[number] += 1
        of.moments.append(time.monotonic())


async def _answer(line: Connection, heard: dict[Of, Heard]) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(line.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        try:
            line.recv()
        except EOFError:
            loop.remove_reader(line.fileno())
            return
        line.send(dict(heard))
        heard.clear()
