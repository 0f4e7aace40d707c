"""Take turns: every contender in every round, in another order each time, as ratios to a floor."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from benchmarks.peers.kept import event_loop

Contender = Callable[[], object]
_dice = random.SystemRandom()


@dataclass(frozen=True)
class Ratio:
    """The median over the rounds of a contender's time to the floor's of the same round."""

    median: float
    low: float
    high: float
    microseconds: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def measure(
    contenders: Mapping[str, Contender], *, floor: str, rounds: int, calls: int
) -> dict[str, Ratio]:
    """Call each contender `calls` times a round; return its ratio to the floor with quartiles.

    A contender that is a coroutine function is awaited so often in one event loop: the price of
    starting a loop is none of the library's.
    """
    for contender in contenders.values():
        _time(contender, 2)  # the first call computes, the second reads what that has kept
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        order = list(contenders)
        _dice.shuffle(order)
        for name in order:
            times[name].append(_time(contenders[name], calls))
    return {name: ratio(taken, times[floor]) for name, taken in times.items()}


def _time(contender: Contender, calls: int) -> float:
    if asyncio.iscoroutinefunction(contender):
        return event_loop().run_until_complete(_time_awaiting(contender, calls))
    began = time.perf_counter()
    for _ in range(calls):
        contender()
    return (time.perf_counter() - began) / calls


async def _time_awaiting(contender: Callable[[], Awaitable[object]], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        await contender()
    return (time.perf_counter() - began) / calls


def ratio(taken: list[float], floor: list[float]) -> Ratio:
    """Compare two series that were measured in turns."""
    ratios = [mine / base for mine, base in zip(taken, floor, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Ratio(median, low, high, statistics.median(taken) * 1e6)


def table(ratios: dict[str, Ratio]) -> list[dict[str, object]]:
    """Return rows, the cheapest first."""
    ordered = sorted(ratios.items(), key=lambda item: item[1].median)
    return [
        {"way": name, "ratio (quartiles)": str(found), "µs": f"{found.microseconds:.0f}"}
        for name, found in ordered
    ]


def percentile(values: list[float], part: float) -> float:
    """Return the value that `part` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
