"""What a job costs: to start it, to have it done, and how long until it begins.

    python -m benchmarks.bench_jobs [--jobs 1000] [--rounds 3] [--calls 40] [--json]

Three tables for each broker, with PostgreSQL and Valkey writing to disk: a transaction with one
insert that starts a job as well, to the same transaction alone; jobs that do nothing, a second, by
one worker process; and the time from the start to the work of an idle worker. The ways take turns.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis

from benchmarks.carriers.ground import Ground, ground, use_broker
from benchmarks.carriers.ways import Dramatiq, Ours, PlainCelery, Way
from benchmarks.interleaved import Contender, measure, percentile, table
from benchmarks.tables import Report, Target, markdown, options

FLOOR, LATER = "the insert alone", "`on_commit(delay)`, Celery"
SINGLES = 100
DEADLINE = 120.0


@dataclass(frozen=True)
class Runner:
    """A way with the number of its processes or threads."""

    title: str
    way: Way
    concurrency: int


@dataclass
class Measured:
    """What was measured of a runner, round by round."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def runners(url: str) -> list[Runner]:
    """Who works: one worker process each, that does one job at a time, or four in threads."""
    celery = partial(PlainCelery, url=url)
    return [
        Runner("Celery, prefork 1", celery(name="Celery prefork"), 1),
        Runner("Celery, threads 4", celery(name="Celery threads", pool="threads"), 4),
        Runner("dramatiq, threads 4", Dramatiq(url=url), 4),
        Runner("**ours, prefork 1**", Ours(url=url), 1),
        Runner("**ours, threads 4**", Ours(url=url, pool="threads"), 4),
    ]


# --- What it costs to start one -------------------------------------------------------------------
def starters(url: str) -> dict[str, Contender]:
    """A transaction with one insert, and one that starts a job too."""
    from django.db import transaction

    from benchmarks.carriers.loads import ours_nothing
    from tests.support.chaos import ledger

    def insert_and(start: Callable[[], object], *, at_commit: bool = True) -> Callable[[], None]:
        def run() -> None:
            with transaction.atomic():
                ledger.write(1, has_ended=False)
                if at_commit:
                    transaction.on_commit(start)
                else:
                    start()

        return run

    celery, others = PlainCelery(url=url, name="starters"), Dramatiq(url=url, name="dramatiq")
    found: dict[str, Contender] = {
        FLOOR: insert_and(lambda: None),
        LATER: insert_and(partial(celery.start, "nothing")),
        "`on_commit(send)`, dramatiq": insert_and(partial(others.start, "nothing")),
        "**ours**: row and bell": insert_and(ours_nothing.delay, at_commit=False),
    }
    if url.startswith("redis"):
        client = redis.Redis.from_url(url)
        found["`on_commit(LPUSH)`"] = insert_and(partial(client.lpush, "starters-raw", b"x" * 500))
    return found


# --- What it costs to do one, and how soon it begins ----------------------------------------------
def work(runner: Runner, measured: Measured, found: Ground, jobs: int) -> None:
    """One round of one runner: a heap of jobs before it starts, then one after the other."""
    from django.db import transaction

    from apps.messaging import Job

    Job.objects.all().delete()
    told = found.folder / "told"
    told.unlink(missing_ok=True)
    runner.way.start("tell_time", since=time.time())
    with transaction.atomic():
        for _ in range(jobs):
            runner.way.start("nothing")
    runner.way.start("tell_time", since=time.time())
    name = f"jobs{time.monotonic_ns()}"
    worker = runner.way.worker(
        name, found.folder, concurrency=runner.concurrency, CARRIER_FILE=str(told)
    )
    try:
        worker.start(seconds=60)
        (_, began), (_, ended) = wait_for_lines(told, 2)
        measured.rates.append(jobs / (ended - began))
        for number in range(SINGLES):
            runner.way.start("tell_time", since=time.time())
            lines = wait_for_lines(told, 3 + number)
            measured.waits.append(lines[-1][0])
    finally:
        worker.stop()  # rather than kill: what it has not acknowledged would come again


def wait_for_lines(path: Path, count: int) -> list[tuple[float, float]]:
    """Wait for so many lines; each is how long its job had waited, and when it was."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()).count("\n") >= count:
            return [(float(one), float(two)) for one, two in map(str.split, text.splitlines())]
        time.sleep(0.001)
    raise SystemExit(f"not {count} jobs within {DEADLINE:.0f} s")


def raw_rate(url: str, jobs: int) -> float:
    """The floor of every list on Valkey: LPUSH, then BRPOP one by one, and nothing done."""
    with redis.Redis.from_url(url) as client:
        for _ in range(jobs):
            client.lpush("raw", b"x" * 500)
        began = time.monotonic()
        for _ in range(jobs):
            client.brpop(["raw"], timeout=5)
        return jobs / (time.monotonic() - began)


# --- The report -----------------------------------------------------------------------------------
def compare(broker: str, found: Ground, report: Report, chosen: Any) -> None:
    """All three on one broker."""
    url = found.url(broker)
    use_broker(url)
    ratios = measure(starters(url), floor=FLOOR, rounds=3 * chosen.rounds, calls=chosen.calls)
    report.tables[f"To start a job, {broker}, to {FLOOR}"] = table(ratios)
    ours = next(ratio for name, ratio in ratios.items() if "ours" in name)
    what = f"start a job, to {LATER}, {broker}"
    measured = ours.microseconds / ratios[LATER].microseconds
    report.targets.append(Target(what=what, wanted=1.2, measured=measured))
    results = {runner.title: Measured() for runner in runners(url)}
    for _ in range(chosen.rounds):
        for runner in runners(url):
            print(f"{broker}: {runner.title}", file=sys.stderr, flush=True)
            work(runner, results[runner.title], found, chosen.jobs)
    report.tables[f"Jobs that do nothing, {broker}"] = rows(results, url, chosen.jobs)
    for pool in ("prefork 1", "threads 4"):
        share = results[f"Celery, {pool}"].rate / results[f"**ours, {pool}**"].rate
        what = f"jobs a second of Celery to ours, {pool}, {broker}"
        report.targets.append(Target(what=what, wanted=2.0, measured=share))


def rows(results: dict[str, Measured], url: str, jobs: int) -> list[dict[str, object]]:
    """The table of jobs a second and of waits."""
    base = results["Celery, prefork 1"].rate
    told: list[dict[str, object]] = [
        {
            "way": title,
            "jobs a second": f"{measured.rate:.0f}",
            "to Celery, prefork 1": f"{measured.rate / base:.2f}",
            "start to work, ms: p50": f"{percentile(measured.waits, 0.5) * 1000:.1f}",
            "p99": f"{percentile(measured.waits, 0.99) * 1000:.1f}",
        }
        for title, measured in results.items()
    ]
    if url.startswith("redis"):
        rate = raw_rate(url, jobs)
        raw = {"jobs a second": f"{rate:.0f}", "to Celery, prefork 1": f"{rate / base:.2f}"}
        told.append({"way": "BRPOP alone", **raw})
    return told


def main() -> None:
    chosen = options(__doc__, jobs=1000, rounds=3, calls=40)
    report = Report()
    with ground(durable=True) as found:
        from tests.support.chaos import ledger

        ledger.open()
        for broker in found.brokers:
            compare(broker, found, report, chosen)
            for title, told in report.tables.items():
                print(f"{title}\n{markdown(told)}", file=sys.stderr, flush=True)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
