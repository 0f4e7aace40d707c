"""A thousand open pages beside page traffic: what they cost, and whether each hears what it should.

    python -m benchmarks.bench_live [--clients 1000] [--rounds 5] [--seconds 4] [--events 20]

The same visitors ask one web process for pages, in turns with and without the open pages. Somebody
is followed once a second in both; with them, a third of the pages is told. Then something happens
to one person after the other, and staff tell something to all: every event that every page hears
is counted, its own and what is another's. Starts its own servers and leaves nothing. Needs two open
files for each client; `ulimit -n` says how many there may be.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from benchmarks.crowd import Crowd, Ear, Tally, count
from benchmarks.interleaved import percentile
from benchmarks.running_site import RunningSite, running_site
from benchmarks.tables import Report, Target, options
from devstack.processes import free_port
from devstack.programs import Web
from tests.support.load import Load, summarise

PEOPLE = ("ada", "ben", "cyd")
SITE = "site:announcements"
MEGABYTE = 2**20


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


def family_of(server: Web) -> list[psutil.Process]:
    assert server.process
    first = psutil.Process(server.process.pid)
    return [first, *first.children(recursive=True)]


def memory_of(server: Web) -> float:
    """Megabytes that the processes of this server hold."""
    return sum(one.memory_info().rss for one in family_of(server)) / MEGABYTE


def processor_seconds_of(server: Web) -> float:
    times = [one.cpu_times() for one in family_of(server)]
    return sum(one.user + one.system for one in times)


def pages_per_second(web: Web, paths: list[str], seconds: float) -> float:
    load = Load(web.port, paths)
    with load.running():
        threading.Event().wait(seconds)
    summary = summarise(load.answers, seconds=seconds)
    if summary.failures or not summary.pages:
        raise SystemExit(f"{summary.failures} of {summary.pages} pages failed: no measurement")
    return summary.per_second


class Happenings:
    """Things that happen to people of the demo, each of which their open pages have to tell."""

    def __init__(self) -> None:
        from apps.accounts.models import User
        from apps.social import services
        from apps.social.models import Notification
        from tests.support.accounts import make_user

        self.people = {name: User.objects.get(username=name) for name in PEOPLE}
        self._fan = make_user("somebodyelse")
        for person in self.people.values():
            newest = Notification.objects.filter(recipient=person).first()
            services.mark_seen(person=person, up_to=newest.pk if newest else 0)

    def follow_or_not(self, name: str) -> None:
        """Let somebody follow this person, or not any more: there is one notification, or none.

        Each changes the number on the bell. A second follower of the day would not: he is folded
        into the notification that is there.
        """
        from apps.social import services

        change = {"follower": self._fan, "followed": self.people[name]}
        if not services.follow_person(**change):
            services.unfollow_person(**change)

    def announce(self, words: str) -> None:
        """Tell everybody these words at the top of the page, instead of those before."""
        from apps.announcements import services
        from apps.announcements.models import Announcement

        announcement = Announcement.objects.filter(text__startswith="Bench").first()
        announcement = announcement or Announcement()
        announcement.text = f"Bench {words}"
        services.save_announcement(announcement=announcement)

    @contextmanager
    def each_second(self) -> Iterator[None]:
        """Let something happen to one person once a second."""
        stop = threading.Event()

        def run() -> None:
            from django.db import connections

            while not stop.wait(1):
                self.follow_or_not(PEOPLE[0])
            connections.close_all()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)


def count_all(ear: Ear, happenings: Happenings, events: int) -> dict[str, Tally]:
    tallies = {"one of three people": Tally(), "all": Tally()}
    for number in range(events):
        for name, person in happenings.people.items():
            count(
                ear,
                tallies["one of three people"],
                f"user:{person.pk}",
                {name},
                lambda name=name: happenings.follow_or_not(name),
            )
        count(
            ear,
            tallies["all"],
            SITE,
            set(PEOPLE),
            lambda number=number: happenings.announce(str(number)),
        )
    return tallies


@dataclass
class Rounds:
    """Pages a second without and with the open pages, in rounds, and what those cost."""

    without: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    kilobytes_each: float = 0
    processor: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [alone / both for alone, both in zip(self.without, self.beside, strict=True)]

    def row(self, clients: int) -> dict[str, object]:
        """Return it as a row of a table."""
        ratios = sorted(self.ratios)
        return {
            "open pages": clients,
            "pages/s without": round(statistics.median(self.without)),
            "pages/s with": round(statistics.median(self.beside)),
            "without / with": round(statistics.median(ratios), 2),
            "lowest to highest": f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            "kB each": round(self.kilobytes_each, 1),
            "of a core": f"{statistics.median(self.processor):.1%}",
        }


def take_turns(
    web: Web, live: Web, crowd: Crowd, paths: list[str], asked: argparse.Namespace
) -> Rounds:
    """Measure pages without, with, with, without the crowd, and so on."""
    rounds = Rounds()
    pages_per_second(web, paths, asked.seconds)  # warms it up
    empty = memory_of(live)
    for number in range(asked.rounds):
        if number % 2:
            rounds.without.append(pages_per_second(web, paths, asked.seconds))
        with crowd.listening():
            rounds.kilobytes_each = (memory_of(live) - empty) * 1024 / crowd.count
            worked = processor_seconds_of(live)
            rounds.beside.append(pages_per_second(web, paths, asked.seconds))
            rounds.processor.append((processor_seconds_of(live) - worked) / asked.seconds)
        if not number % 2:
            rounds.without.append(pages_per_second(web, paths, asked.seconds))
    return rounds


def measure(site: RunningSite, asked: argparse.Namespace) -> Report:
    happenings = Happenings()
    topics = [SITE, *(f"user:{person.pk}" for person in happenings.people.values())]
    paths = list(site.pages().values())
    with site.web() as web, live_process(site, asked.clients) as live:
        crowd = Crowd(
            port=live.port,
            cookies={name: site.cookie(name) for name in PEOPLE},
            topics=topics,
            own_topics=2,
            count=asked.clients,
        )
        with happenings.each_second():
            rounds = take_turns(web, live, crowd, paths, asked)
        with crowd.listening() as ear:
            tallies = count_all(ear, happenings, asked.events)
    return Report(
        tables={
            "Pages beside open pages": [rounds.row(asked.clients)],
            "Events to those whose they are": [
                tally.row(f"news for {whom}") for whom, tally in tallies.items()
            ],
        },
        targets=targets(rounds, list(tallies.values())),
    )


def targets(rounds: Rounds, tallies: list[Tally]) -> list[Target]:
    missed = sum(tally.due - tally.heard for tally in tallies)
    others = sum(tally.others for tally in tallies)
    slowest = max(percentile(tally.delays, 0.99) for tally in tallies) * 1000
    slower = statistics.median(rounds.ratios)
    each = rounds.kilobytes_each
    return [
        Target(what="pages/s without / with", wanted=1.1, measured=slower),
        Target(what="events missed", wanted=0, measured=missed),
        Target(what="events heard by others", wanted=0, measured=others),
        Target(what="p99 until a page hears", wanted=1000, measured=slowest, unit=" ms"),
        Target(what="memory of an open page", wanted=100, measured=each, unit=" kB"),
    ]


def main() -> None:
    asked = options(__doc__, clients=1000, rounds=5, seconds=4.0, events=20)
    room, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if room < asked.clients * 2 + 200:
        raise SystemExit(
            f"{asked.clients} clients need more open files than the {room} that `ulimit -n` allows."
        )
    with running_site() as site:
        measure(site, asked).show(as_json=asked.json)


if __name__ == "__main__":
    main()
