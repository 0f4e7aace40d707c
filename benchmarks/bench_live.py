"""A thousand open pages beside page traffic: what they cost, and whether each hears what it should.

    python -m benchmarks.bench_live [--clients 1000] [--rounds 3] [--seconds 3] [--events 20]

The same visitors ask one web process for pages, in turns with and without the open pages, which
hear of something once a second meanwhile. Then likes are made one after the other, and every event
that every client hears is counted: its own, and what is another's. Starts its own servers and
leaves nothing. Needs two open files for each client; `ulimit -n` says how many there may be.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import resource
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import psutil

from benchmarks.running_site import RunningSite, running_site
from benchmarks.tables import Report, Target, options
from devstack.processes import free_port
from devstack.programs import Web
from tests.support.live import Listener, listen
from tests.support.load import Load, summarise
from tests.support.wait import wait_until

PEOPLE = ("ada", "ben", "cyd")
OPENED_AT_ONCE = 20
MEGABYTE = 2**20
_numbers = itertools.count()


class Crowd:
    """Open pages of three people, in a thread with a loop of its own. Each asks for all topics."""

    def __init__(self, port: int, cookies: dict[str, str], topics: list[str], count: int) -> None:
        self.port, self.cookies, self.topics, self.count = port, cookies, topics, count
        self.heard: list[tuple[str, Counter[str]]] = []
        self._ready, self._stop = threading.Event(), threading.Event()
        self._failure: BaseException | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        thread.start()
        try:
            if not self._ready.wait(300) or self._failure:
                raise SystemExit(f"the pages did not open: {self._failure!r}")
            yield
        finally:
            self._stop.set()
            thread.join(60)

    def _run(self) -> None:
        try:
            asyncio.run(self._scene())
        except BaseException as error:  # noqa: BLE001 - told by the one who waits
            self._failure = error
            self._ready.set()

    async def _scene(self) -> None:
        gate = asyncio.Semaphore(OPENED_AT_ONCE)
        async with AsyncExitStack() as stack:

            async def come(number: int) -> tuple[str, Listener]:
                person = PEOPLE[number % len(PEOPLE)]
                async with gate:
                    page = await listen(self.port, *self.topics, cookie=self.cookies[person])
                    await page.event()
                return person, await stack.enter_async_context(page)

            pages = await asyncio.gather(*(come(number) for number in range(self.count)))
            readers = [asyncio.create_task(self._read(*page)) for page in pages]
            self._ready.set()
            while not self._stop.is_set():  # noqa: ASYNC110 - set by a thread
                await asyncio.sleep(0.05)
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _read(self, person: str, page: Listener) -> None:
        heard: Counter[str] = Counter()
        self.heard.append((person, heard))
        while True:
            told = (await page.event(seconds=3600))["data"]
            heard[told["topic"]] += 1


@contextmanager
def live_process(site: RunningSite, clients: int) -> Iterator[Web]:
    room = str(clients + 100)
    told = {"LIVE_STREAMS_PER_PERSON": room, "LIVE_STREAMS_PER_ADDRESS": room}
    server = Web(
        name="live",
        target="project.asgi:application",
        port=free_port(),
        log=site.folder / "live.log",
        variables={**os.environ, **told},
        options=("--interface", "asgi"),
    )
    server.start(seconds=60)
    try:
        yield server
    finally:
        server.kill()


def memory_of(server: Web) -> float:
    """Megabytes that the processes of this server hold."""
    assert server.process
    family = psutil.Process(server.process.pid)
    return (
        sum(one.memory_info().rss for one in [family, *family.children(recursive=True)]) / MEGABYTE
    )


def pages_per_second(web: Web, paths: list[str], asked: argparse.Namespace) -> float:
    load = Load(web.port, paths)
    with load.running():
        threading.Event().wait(asked.seconds)
    summary = summarise(load.answers, seconds=asked.seconds)
    if summary.failures or not summary.pages:
        raise SystemExit(f"{summary.failures} of {summary.pages} pages failed: no measurement")
    return summary.per_second


@contextmanager
def something_happens_each_second() -> Iterator[None]:
    """Let somebody be followed once a second: a third of the open pages is told."""
    stop = threading.Event()

    def run() -> None:
        from django.db import connections

        while not stop.wait(1):
            tell(PEOPLE[0], next(_numbers))
        connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


def tell(person: str, number: int) -> None:
    """Let something happen that concerns this person: one follower more."""
    from apps.accounts.models import User
    from apps.social import services
    from tests.support.accounts import make_user

    followed = User.objects.get(username=person)
    services.follow_person(follower=make_user(f"fan{number}.{person}"), followed=followed)


def count_events(crowd: Crowd, ids: dict[str, int], events: int) -> dict[str, object]:
    """Let each person be followed, wait for every page to hear of each, and count the rest."""
    before = {id(heard): Counter(heard) for _, heard in crowd.heard}
    delays: list[float] = []
    for _ in range(events):
        for person in PEOPLE:
            topic = f"user:{ids[person]}"
            mine = [heard for who, heard in crowd.heard if who == person]
            wanted = {id(heard): heard[topic] + 1 for heard in mine}
            began = time.monotonic()
            tell(person, next(_numbers))
            wait_until(
                lambda mine=mine, wanted=wanted, topic=topic: all(
                    heard[topic] >= wanted[id(heard)] for heard in mine
                ),
                seconds=60,
            )
            delays.append(time.monotonic() - began)
    news = [(who, heard - before[id(heard)]) for who, heard in crowd.heard]
    own = sum(heard[f"user:{ids[who]}"] for who, heard in news)
    others = sum(
        count
        for who, heard in news
        for topic, count in heard.items()
        if topic.startswith("user:") and topic != f"user:{ids[who]}"
    )
    return {
        "events": events * len(PEOPLE),
        "due at clients": events * len(news),
        "heard": own,
        "heard by others": others,
        "all have it after, median s": round(statistics.median(delays), 2),
        "worst s": round(max(delays), 2),
    }


def measure(site: RunningSite, asked: argparse.Namespace) -> Report:
    from apps.accounts.models import User

    ids = {name: User.objects.get(username=name).pk for name in PEOPLE}
    cookies = {name: site.cookie(name) for name in PEOPLE}
    topics = ["site:announcements", *(f"user:{pk}" for pk in ids.values())]
    paths = list(site.pages().values())
    speeds: dict[str, list[float]] = {"without": [], "with": []}
    with site.web() as web, live_process(site, asked.clients) as live:
        pages_per_second(web, paths, asked)  # warms it up
        empty = memory_of(live)
        for number in range(asked.rounds):
            crowd = Crowd(live.port, cookies, topics, asked.clients)
            if number % 2:
                speeds["without"].append(pages_per_second(web, paths, asked))
            with crowd.listening(), something_happens_each_second():
                full = memory_of(live)
                speeds["with"].append(pages_per_second(web, paths, asked))
            if not number % 2:
                speeds["without"].append(pages_per_second(web, paths, asked))
        crowd = Crowd(live.port, cookies, topics, asked.clients)
        with crowd.listening():
            told = count_events(crowd, ids, asked.events)
    each = (full - empty) * 1024 / asked.clients
    slower = statistics.median(
        without / with_ for without, with_ in zip(speeds["without"], speeds["with"], strict=True)
    )
    return Report(
        tables={
            "Pages beside open pages": [
                {
                    "open pages": asked.clients,
                    "pages/s without": round(statistics.median(speeds["without"])),
                    "pages/s with": round(statistics.median(speeds["with"])),
                    "without / with": round(slower, 2),
                    "kB each": round(each, 1),
                }
            ],
            "Events to those whose they are": [told],
        },
        targets=[
            Target(what="pages/s without / with", wanted=1.1, measured=slower),
            Target(
                what="events missed",
                wanted=0,
                measured=int(str(told["due at clients"])) - int(str(told["heard"])),
            ),
            Target(
                what="events heard by others", wanted=0, measured=int(str(told["heard by others"]))
            ),
            Target(what="memory of an open page", wanted=100, measured=each, unit=" kB"),
        ],
    )


def main() -> None:
    asked = options(__doc__, clients=1000, rounds=3, seconds=3.0, events=20)
    room, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if room < asked.clients * 2 + 200:
        raise SystemExit(
            f"{asked.clients} clients need more open files than the {room} that `ulimit -n` allows."
        )
    with running_site() as site:
        measure(site, asked).show(as_json=asked.json)


if __name__ == "__main__":
    main()
