"""From counts to what they mean: shares, means, and the time that the cache saved."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

CAUSES = ("absent", "outdated", "unreadable", "away")
LOST = ("uncacheable", "oversize", "undeclared", "refused")


class Figures(msgspec.Struct, kw_only=True, frozen=True):
    """What one function did, over all processes. None: nothing to say it by."""

    hits: int
    stale: int  # past their timeout, and shown
    misses: int
    hit_ratio: float | None  # of all that could have been answered
    absent: int
    outdated: int
    unreadable: int
    away: int
    bypassed: int  # inside a transaction that changes it: no miss
    waits: int
    computations: int
    raised: int
    seconds_computing: float
    mean_seconds: float | None
    seconds_saved: float | None  # what the hits would have taken, had each been computed
    bytes_read: int
    bytes_written: int
    not_stored: int


def figures(counted: Mapping[str, float]) -> Figures:
    """Return the figures of one function."""

    def number(what: str) -> int:
        return int(counted.get(what, 0))

    answered = number("hits") + number("stale")
    misses = sum(number(f"misses_{cause}") for cause in CAUSES)
    computing = float(counted.get("seconds_computing", 0))
    mean = computing / number("computations") if number("computations") else None
    return Figures(
        hits=number("hits"),
        stale=number("stale"),
        misses=misses,
        hit_ratio=answered / (answered + misses) if answered + misses else None,
        absent=number("misses_absent"),
        outdated=number("misses_outdated"),
        unreadable=number("misses_unreadable"),
        away=number("misses_away"),
        bypassed=number("bypassed"),
        waits=number("waits"),
        computations=number("computations"),
        raised=number("raised"),
        seconds_computing=computing,
        mean_seconds=mean,
        seconds_saved=answered * mean if mean is not None else None,
        bytes_read=number("bytes_read"),
        bytes_written=number("bytes_written"),
        not_stored=sum(number(what) for what in LOST),
    )
