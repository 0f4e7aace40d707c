"""Many calls of one function: one round trip for all, and one computation for what is missing.

No lease is taken here: two processes that miss the same batch at once both compute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from apps.caching import transactions
from apps.caching.answering import settle
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.keeping import Kept, compute_many, keep
from apps.caching.lookup import Found, Look, Place, look_up, place
from apps.caching.nesting import note_use
from apps.caching.renewal import renew
from apps.caching.stats import count

R = TypeVar("R")


def obtain_many(calls: Sequence[Call[R]]) -> list[R]:
    """Return the value of each call: one round trip a server, the missing computed together."""
    looks = _look_at(calls)
    renew(calls, looks)  # all at once; what is left below is not due any more
    absent = [i for i, look in enumerate(looks) if look.found not in {Found.HIT, Found.SOFT}]
    if len(absent) <= 1:
        return [settle(call, look) for call, look in zip(calls, looks, strict=True)]
    computed = _compute_together([calls[i] for i in absent], [looks[i] for i in absent])
    missing = dict(zip(absent, computed, strict=True))
    return [missing[i] if i in missing else settle(calls[i], looks[i]) for i in range(len(calls))]


def _look_at(calls: Sequence[Call[Any]]) -> list[Look]:
    for call in calls:
        note_use(call.tags)
    changed = transactions.changed_tags()
    usable = [call for call in calls if changed.isdisjoint(call.tags)]
    found = dict(zip(map(id, usable), look_up(usable), strict=True))
    return [found.get(id(call)) or Look(Found.CHANGED_HERE) for call in calls]


def _compute_together(calls: Sequence[Call[R]], looks: Sequence[Look]) -> list[R]:
    """Compute what a batch misses, with the function's `bulk` if it has one, and store it."""
    for call, look in zip(calls, looks, strict=True):
        count(call.name, look.found.value)
    eng = engine()
    places = [place(call, eng) for call in calls]
    versions = _complete_many(places, looks)
    computed = compute_many(calls)
    keep(
        [
            Kept(call, where, stamps, item)
            for call, where, stamps, item in zip(calls, places, versions, computed, strict=True)
            if stamps is not None
        ]
    )
    return [item.value for item in computed]


def _complete_many(
    places: Sequence[Place], looks: Sequence[Look]
) -> list[tuple[bytes, ...] | None]:
    cold: dict[str, dict[str, bytes | None]] = {}
    nodes = {where.node.name: where.node for where in places}
    for where, look in zip(places, looks, strict=True):
        if look.versions is not None and None in look.versions:
            cold.setdefault(where.node.name, {}).update(zip(where.tags, look.versions, strict=True))
    known: dict[str, dict[str, bytes]] = {}
    for name, tags in cold.items():
        versions = nodes[name].versions(list(tags), list(tags.values()))
        known[name] = {} if versions is None else dict(zip(tags, versions, strict=True))
    return [_stamps(where, look, known) for where, look in zip(places, looks, strict=True)]


def _stamps(
    where: Place, look: Look, known: dict[str, dict[str, bytes]]
) -> tuple[bytes, ...] | None:
    if look.versions is None:
        return None
    if None not in look.versions:
        return tuple(version for version in look.versions if version is not None)
    fresh = known[where.node.name]
    return tuple(fresh[tag] for tag in where.tags) if fresh else None
