"""Take turns: every contender in every round, in another order each time, as ratios to a floor."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_dice = random.SystemRandom()


@dataclass(frozen=True)
class Ratio:
    """The median over the rounds of a contender's time to the floor's of the same round."""

    median: float
    low: float
    high: float
    microseconds: float

    def __str__(self) -> str:
        return f"{self.median:5.2f} ({self.low:.2f}-{self.high:.2f})"


def measure(
    contenders: Mapping[str, Callable[[], object]], *, floor: str, rounds: int, calls: int
) -> dict[str, Ratio]:
    """Call each contender `calls` times a round; return its ratio to the floor with quartiles."""
    for contender in contenders.values():
        contender()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        order = list(contenders)
        _dice.shuffle(order)
        for name in order:
            times[name].append(_time(contenders[name], calls))
    return {name: _ratio(taken, times[floor]) for name, taken in times.items()}


def _time(contender: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        contender()
    return (time.perf_counter() - began) / calls


def _ratio(taken: list[float], floor: list[float]) -> Ratio:
    ratios = [mine / base for mine, base in zip(taken, floor, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Ratio(median, low, high, statistics.median(taken) * 1e6)
