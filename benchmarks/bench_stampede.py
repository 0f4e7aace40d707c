"""Who computes when many ask at once: four processes of eight threads, a job of 100 ms.

    python -m benchmarks.bench_stampede [--rounds 5] [--seconds 3.5] [--json]

Cold: all ask for a key that nobody has asked for. At an expiry: all ask again and again, with 10 ms
between, for a value that lives for a second. Counted are the computations of each, and how long
anybody waited. Starts its own servers.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.cache_servers import CacheServers, cache_servers
from benchmarks.interleaved import percentile
from benchmarks.peers.crowd import JOB_SECONDS
from benchmarks.peers.kept import Way
from benchmarks.peers.ways import OF_STAMPEDES, runnable, variables
from benchmarks.tables import Report, Target, options
from devstack.processes import ROOT

PROCESSES = 4
PATIENCE = 120  # for the start of a process on a busy machine too
SLOWEST = 1.5  # times the job
# Computations that begin so near to each other are of one expiry.
ONE_EXPIRY = 0.25
WITHOUT_WAITS = 0.05


class Stuck(Exception):
    """A process has ended, or asks and asks and gets no answer."""


class Process:
    """One of the processes, as the benchmark holds it."""

    def __init__(self, way: Way, servers: CacheServers) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.crowd", way.name],
            cwd=ROOT,
            env=variables([way], servers.urls, BENCH_TIMEOUT="5"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, line: str) -> None:
        """Give an order."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """Return the answer. Raises Stuck if there is none, in time or at all."""
        assert self.process.stdout is not None
        impatience = threading.Timer(PATIENCE, self.process.kill)
        impatience.start()
        line = self.process.stdout.readline().strip()
        impatience.cancel()
        if not line:
            raise Stuck
        return line


@contextmanager
def crowd(way: Way, servers: CacheServers) -> Iterator[list[Process]]:
    """Start the processes; end them."""
    processes = [Process(way, servers) for _ in range(PROCESSES)]
    try:
        for each in processes:
            each.hear()
        yield processes
    finally:
        for each in processes:
            each.process.kill()
            each.process.communicate()


def order(processes: Sequence[Process], line: str) -> tuple[list[float], list[float]]:
    """Give all the same order; return when they computed, and how long they waited."""
    for each in processes:
        each.say(line)
    told = [json.loads(each.hear()) for each in processes]
    return (
        sorted(moment for one in told for moment in one["computations"]),
        [wait for one in told for wait in one["waits"]],
    )


def bursts(moments: Sequence[float]) -> list[int]:
    """Return how many computations each expiry had."""
    counts: list[int] = []
    began = float("-inf")
    for moment in moments:
        if moment - began > ONE_EXPIRY:
            began = moment
            counts.append(0)
        counts[-1] += 1
    return counts


def face(way: Way, servers: CacheServers, *, rounds: int, seconds: float) -> dict[str, float]:
    """Send the crowd to one way."""
    servers.empty()
    with crowd(way, servers) as processes:
        cold = [order(processes, f"cold {number}") for number in range(1, rounds + 1)]
        order(processes, "steady 0")  # the first computation is none of an expiry
        computed, steady = order(processes, f"steady {seconds}")
    each = bursts(computed)
    waits = [wait * 1000 for _, slow in cold for wait in slow]
    return {
        "cold": statistics.mean(len(moments) for moments, _ in cold),
        "cold_median_ms": statistics.median(waits),
        "cold_worst_ms": statistics.median(max(slow) * 1000 for _, slow in cold),
        "expiries": len(each),
        "expiry": sum(each) / len(each) if each else math.inf,
        "p99_ms": percentile(steady, 0.99) * 1000,
        "worst_ms": max(steady) * 1000,
    }


def row(name: str, found: dict[str, float]) -> dict[str, object]:
    """Return a row of the table."""
    return {
        "way": name,
        "computations, cold": f"{found['cold']:.1f}",
        "ms, cold: median, slowest": (
            f"{found['cold_median_ms']:.0f}, {found['cold_worst_ms']:.0f}"
        ),
        "computations at an expiry": f"{found['expiry']:.1f} of {found['expiries']:.0f}",
        "ms, at expiries: p99, slowest": f"{found['p99_ms']:.1f}, {found['worst_ms']:.0f}",
    }


def targets(results: dict[str, dict[str, float]]) -> list[Target]:
    """Compare with what was wanted of ours."""
    found = []
    for name in ("ours", "ours, Memcached"):
        if name in results:
            slowest = results[name]["cold_worst_ms"] / 1000 / JOB_SECONDS
            found += [
                Target(
                    what=f"{name}: computations, cold", wanted=1, measured=results[name]["cold"]
                ),
                Target(
                    what=f"{name}: computations at an expiry",
                    wanted=1,
                    measured=results[name]["expiry"],
                ),
                Target(
                    what=f"{name}: the slowest waiter to the job", wanted=SLOWEST, measured=slowest
                ),
            ]
    for name in ("ours, stale_for", "ours, stale_for, Memcached"):
        if name in results:
            found += [
                Target(
                    what=f"{name}: slowest answer at an expiry (nobody waits for the job)",
                    wanted=WITHOUT_WAITS,
                    measured=results[name]["worst_ms"] / 1000,
                    unit=" s",
                ),
                Target(
                    what=f"{name}: computations at an expiry",
                    wanted=1,
                    measured=results[name]["expiry"],
                ),
            ]
    return found


def main() -> None:
    chosen = options(__doc__, rounds=5, seconds=3.5)
    report = Report()
    with cache_servers() as servers:
        ways, report.notes = runnable(OF_STAMPEDES, servers.kinds)
        results = {}
        for way in ways:
            try:
                results[way.name] = face(way, servers, rounds=chosen.rounds, seconds=chosen.seconds)
            except Stuck:
                report.notes.append(f"NOT MEASURED: {way.name}: {Stuck.__doc__}")
    report.tables["Four processes of eight threads, a job of 100 ms"] = [
        row(name, found) for name, found in results.items()
    ]
    report.targets = targets(results)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
