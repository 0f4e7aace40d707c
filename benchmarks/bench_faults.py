"""A site under load while its cache is killed, frozen, emptied and restarted.

    python -m benchmarks.bench_faults [--seconds 4] [--visitors 8] [--json]

Visitors ask for the home, person and photo page without a pause, while a photo that is shown on all
three is renamed again and again by another process. A page is *stale* if it was asked for after a
renaming had returned and shows an earlier name. Recovery is the time from the event until the last
page that took longer than twice the p99 of the quiet phase was answered; "-" means not within the
phase. It ends with 1 if a page failed or was stale.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.running_site import RunningSite, running_site
from benchmarks.tables import Report, Target, options
from tests.support.load import Answer, Load, summarise

if TYPE_CHECKING:
    from tests.support.renaming import Renaming

WINDOW = 0.25


@dataclass
class Phase:
    """A span of the run, from a fault to the next event."""

    name: str
    began: float
    ended: float = 0.0


def siege(site: RunningSite, options: argparse.Namespace) -> Report:
    """Run all faults, one after the other, under one crowd; return what it saw."""
    from tests.support.renaming import Renaming

    cache, pause = site.cache, threading.Event()
    events: Sequence[tuple[str, Callable[[], object]]] = (
        ("quiet", lambda: None),
        ("killed", cache.kill),
        ("restarted", lambda: cache.start(seconds=30)),
        ("frozen", cache.freeze),
        ("thawed", cache.thaw),
        ("emptied", lambda: _empty(cache.url())),
    )
    phases: list[Phase] = []
    with site.web() as web:
        load = Load(web.port, list(site.pages().values()), visitors=options.visitors)
        with load.running(), Renaming(site.photo()) as renaming:
            pause.wait(2)  # warm up
            for name, action in events:
                if phases:
                    phases[-1].ended = time.monotonic()
                phases.append(Phase(name, time.monotonic()))
                action()
                pause.wait(options.seconds)
            phases[-1].ended = time.monotonic()
    rows = [_describe(phase, load.answers, renaming, phases[0]) for phase in phases]
    return Report(
        tables={"What befalls the cache of a loaded site": rows},
        notes=[f"{len(renaming.returned)} renamings, each of which all three pages show."],
        targets=[
            Target(what=what, wanted=0, measured=sum(int(str(row[name])) for row in rows))
            for name, what in (("5xx", "pages that failed"), ("stale", "stale pages"))
        ],
    )


def _empty(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client:
        client.flushall()


def _within(answers: Sequence[Answer], began: float, ended: float) -> list[Answer]:
    return [answer for answer in answers if began <= answer.started < ended]


def _describe(
    phase: Phase, answers: Sequence[Answer], renaming: Renaming, quiet: Phase
) -> dict[str, object]:
    mine = _within(answers, phase.began, phase.ended)
    summary = summarise(mine, seconds=phase.ended - phase.began)
    stale = [seconds for answer in mine if (seconds := renaming.staleness(answer))]
    calm = summarise(_within(answers, quiet.began, quiet.ended), seconds=quiet.ended - quiet.began)
    return {
        "phase": phase.name,
        "pages": summary.pages,
        "5xx": summary.failures,
        "stale": len(stale),
        "stalest, s": round(max(stale, default=0.0), 3),
        "pages/s": round(summary.per_second),
        "median, ms": round(summary.median_ms, 1),
        "p99, ms": round(summary.p99_ms, 1),
        "worst, ms": round(summary.worst_ms, 1),
        "recovery, s": _recovery(phase, mine, limit_ms=2 * calm.p99_ms),
    }


def _recovery(phase: Phase, answers: Sequence[Answer], *, limit_ms: float) -> float | str:
    """Return seconds until the last window with a page slower than the limit."""
    slow = [
        answer.started + answer.seconds - phase.began
        for answer in answers
        if answer.seconds * 1000 > limit_ms
    ]
    last = max(slow, default=0.0)
    return "-" if last > phase.ended - phase.began - WINDOW else round(last, 2)


def main() -> int:
    chosen = options(__doc__, seconds=4.0, visitors=8)
    with running_site() as site:
        report = siege(site, chosen)
    report.show(as_json=chosen.json)
    return int(any(target.verdict != "met" for target in report.targets))


if __name__ == "__main__":
    raise SystemExit(main())
