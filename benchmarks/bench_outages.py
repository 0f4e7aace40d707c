"""What a page costs while its cache is away: a server that is frozen, and one that refuses.

    python -m benchmarks.bench_outages [--seconds 6] [--json]

A page of twenty widgets of 5 ms, five times, each library with the time-outs it has by default.
Whoever needs longer than `--seconds` for the first page is not waited for. A library that raises
computes nothing, so its pages are fast and are errors.
"""

from __future__ import annotations

import json
import math
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from benchmarks.cache_servers import CacheServers, CutWire, cache_servers
from benchmarks.peers.kept import Way
from benchmarks.peers.ways import OF_OUTAGES, runnable
from benchmarks.peers.widgets_page import PAGES, WIDGETS
from benchmarks.tables import Report, Target, options
from devstack.processes import ROOT

START_SECONDS = 120
CALLS = WIDGETS * PAGES
FIRST_PAGE, LATER_PAGES = 0.5, 1.1


@dataclass
class Pages:
    """The calls that were answered in time, in order; the last one may be missing its end."""

    bare: float
    limit: float
    seconds: list[float] = field(default_factory=list)
    raised: set[str] = field(default_factory=set)

    def row(self, name: str, away: str) -> dict[str, object]:
        """Return a row of the table."""
        return {
            "way": name,
            "server": away,
            "first call": self._call(self.seconds[:1]),
            "later calls, median": self._call(self.seconds[1:]),
            "first page": self._page(self.first),
            "later pages, median": self._page(self.later),
            "a page without a cache": f"{self.bare:.2f} s",
            "raises": ", ".join(sorted(self.raised)) or "no",
        }

    @property
    def first(self) -> float:
        """Return how long the first page took; infinity if nobody waited for its end."""
        return self._sums()[0]

    @property
    def later(self) -> float:
        """Return how long the pages after it took."""
        return statistics.median(self._sums()[1:])

    def _sums(self) -> list[float]:
        pages = [self.seconds[start : start + WIDGETS] for start in range(0, CALLS, WIDGETS)]
        return [sum(calls) if len(calls) == WIDGETS else math.inf for calls in pages]

    def _call(self, calls: list[float]) -> str:
        return f"{statistics.median(calls) * 1000:.2f} ms" if calls else f"> {self.limit:g} s"

    def _page(self, seconds: float) -> str:
        return f"{seconds:.2f} s" if seconds < math.inf else f"> {self.limit:g} s"


@contextmanager
def drawing(way: Way, urls: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start the process that draws."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.peers.widgets_page", way.name, json.dumps(urls)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def attend(lines: queue.Queue[str], pages: Pages) -> Pages:
    """Hear the times of the calls, for as long as the limit says."""
    until = time.monotonic() + pages.limit
    while len(pages.seconds) < CALLS:
        try:
            taken, raised = json.loads(lines.get(timeout=max(0.0, until - time.monotonic())))
        except queue.Empty:
            break
        pages.seconds.append(taken)
        pages.raised |= {raised} - {""}
    return pages


def listen(stream: IO[str]) -> queue.Queue[str]:
    """Read the lines of a process in a thread."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def outage(way: Way, servers: CacheServers, *, away: str, seconds: float) -> Pages:
    """Take the server away from a process that uses it."""
    server = servers.of(way.server)
    servers.empty()
    wire = CutWire(server.port)
    wire.mend()
    urls = servers.urls | {way.server: f"{servers.urls[way.server].rpartition(':')[0]}:{wire.port}"}
    take: Callable[[], object] = wire.cut if away == "refused" else server.freeze
    with drawing(way, urls) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = listen(process.stdout)
        pages = Pages(bare=float(lines.get(timeout=START_SECONDS)), limit=seconds)
        take()
        try:
            process.stdin.write("go\n")
            process.stdin.flush()
            return attend(lines, pages)
        finally:
            server.thaw()
            if away != "refused":
                wire.cut()


def targets(name: str, away: str, pages: Pages) -> list[Target]:
    """Compare with what was wanted of ours."""
    return [
        Target(
            what=f"{name}, {away}: first page over the page without a cache",
            wanted=FIRST_PAGE,
            measured=pages.first - pages.bare,
            unit=" s",
        ),
        Target(
            what=f"{name}, {away}: later pages to the page without a cache",
            wanted=LATER_PAGES,
            measured=pages.later / pages.bare,
        ),
    ]


def main() -> None:
    chosen = options(__doc__, seconds=6.0)
    report = Report()
    rows = []
    with cache_servers() as servers:
        ways, report.notes = runnable(OF_OUTAGES, servers.kinds)
        for away in ("frozen", "refused"):
            for way in ways:
                pages = outage(way, servers, away=away, seconds=chosen.seconds)
                rows.append(pages.row(way.name, away))
                if way.name.startswith("ours"):
                    report.targets += targets(way.name, away, pages)
    report.tables["A page of twenty widgets of 5 ms"] = rows
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
