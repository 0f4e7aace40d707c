"""Computing while the server is away: once for all threads that ask for the same meanwhile.

Without versions nobody can say whether a computation began before what another process has
changed. So nobody joins one that is going on: he waits for its end, and shares the next, which
sees all that had been changed when he asked. That holds whatever it is built from: a page whose
tags nobody knew is shared too, though it could not be stored. Only who builds an entry for a
server that is there must hear of all tags, and these a value does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from apps.caching import invalidation, memo
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.flights import Flight, boarding, in_the_air
from apps.caching.keeping import Computed, compute_many, compute_one
from apps.caching.lookup import Found, Look, place
from apps.caching.nesting import servers_to_ask
from apps.caching.stats import count

R = TypeVar("R")


def compute_unseen(calls: Sequence[Call[R]]) -> list[R]:
    """Return the value of each of these calls of one function, whose server is away.

    They are shared with those who ask for the same calls, in the same order.
    """
    keys = [place(call, engine()).key for call in calls]
    # What this process has invalidated since is in it, so that nobody waits for data older than his
    # own change; and what an entry may be built from, for what he builds may be stored yet.
    kept_on = servers_to_ask()
    flight_key = (*keys, invalidation.generation(), kept_on)
    if not _is_next(calls, flight_key):
        return [each.value for each in _compute(calls)]
    with boarding(flight_key) as (flight, leads):
        if not leads:
            return _share(calls, keys, flight)
        computed = _compute(calls)
        values = [each.value for each in computed]
        if all(each.shareable if kept_on else each.common for each in computed):
            flight.land(values)
            _remember(keys, values)
        return values


def _is_next(calls: Sequence[Call[Any]], flight_key: tuple[object, ...]) -> bool:
    """Wait for the computation that is going on; no if that takes too long."""
    flight = in_the_air(flight_key)
    if flight is None:
        return True
    count(calls[0].name, "waits", len(calls))
    return flight.is_over(engine().options.lease_seconds)


def _share(calls: Sequence[Call[R]], keys: Sequence[str], flight: Flight) -> list[R]:
    count(calls[0].name, "waits", len(calls))
    landed, values = flight.wait(engine().options.lease_seconds)
    if not landed:
        return [each.value for each in _compute(calls)]
    _remember(keys, values)
    return list(values)


def _compute(calls: Sequence[Call[R]]) -> list[Computed[R]]:
    return compute_many(calls) if len(calls) > 1 else [compute_one(calls[0])]


def _remember(keys: Sequence[str], values: Sequence[Any]) -> None:
    hits = [Look(Found.HIT, value) for value in values]
    memo.remember_all(dict(zip(keys, hits, strict=True)))
