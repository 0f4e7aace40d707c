"""Many calls of one function: one round trip for all, and one computation for what is missing.

The leases of all that is missing are asked for in one round trip a server. Who gets some computes
these first and waits for the others afterwards, for a while: so nobody waits for one who waits.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from apps.caching import memo, transactions
from apps.caching.answering import FIRST_WAIT, LONGEST_WAIT, settle
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.keeping import Kept, compute_many, keep
from apps.caching.lookup import Found, Look, Place, is_elsewhere, judge, look_up, place
from apps.caching.nesting import note_use, servers_to_ask
from apps.caching.node import Node
from apps.caching.renewal import renew
from apps.caching.stats import count
from apps.caching.stores import Item
from apps.caching.unseen import compute_unseen

R = TypeVar("R")
_dice = random.SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gap(Generic[R]):
    """An entry that a batch misses. Without versions it can be neither leased nor stored.

    `is_unseen`: because its server is away, not because it is this transaction's own.
    """

    index: int
    call: Call[R]
    where: Place
    versions: tuple[bytes, ...] | None
    lease: str | None
    is_unseen: bool


def obtain_many(calls: Sequence[Call[R]]) -> list[R]:
    """Return the value of each call: one round trip a server, the missing computed together."""
    looks = _look_at(calls)
    renew(calls, looks)  # all at once; what is left below is not due any more
    absent = [i for i, look in enumerate(looks) if not look.is_shown]
    if not absent:
        return _shown(calls, looks)
    if len(absent) <= 1:
        return [settle(call, look) for call, look in zip(calls, looks, strict=True)]
    missing = _fill(_gaps(calls, looks, absent))
    return [missing[i] if i in missing else settle(calls[i], looks[i]) for i in range(len(calls))]


def _shown(calls: Sequence[Call[R]], looks: Sequence[Look]) -> list[R]:
    """Return what was found where all was found, counted once for all of a function."""
    found = Counter([(call.name, look.found) for call, look in zip(calls, looks, strict=True)])
    for (name, what), number in found.items():
        count(name, what.value, number)
    return [look.value for look in looks]


def _look_at(calls: Sequence[Call[Any]]) -> list[Look]:
    note_use(chain.from_iterable([call.tags for call in calls]))
    changed = transactions.changed_tags()
    if not changed and not servers_to_ask():
        return look_up(calls)
    usable = [call for call in calls if changed.isdisjoint(call.tags) and not is_elsewhere(call)]
    found = dict(zip(map(id, usable), look_up(usable), strict=True))
    return [found.get(id(call)) or Look(Found.CHANGED_HERE) for call in calls]


def _gaps(calls: Sequence[Call[R]], looks: Sequence[Look], absent: Sequence[int]) -> list[Gap[R]]:
    eng = engine()
    places = [place(calls[index], eng) for index in absent]
    stamps = _complete_many(places, [looks[index] for index in absent])
    gaps = []
    for index, where, versions in zip(absent, places, stamps, strict=True):
        count(calls[index].name, looks[index].found.value)
        gaps.append(
            Gap(
                index=index,
                call=calls[index],
                where=where,
                versions=versions,
                lease=eng.keys.lease(where.key, versions) if versions else None,
                is_unseen=not versions and looks[index].found is not Found.CHANGED_HERE,
            )
        )
    return gaps


def _fill(gaps: Sequence[Gap[R]]) -> dict[int, R]:
    """Return the value of each gap by its index: computed here, or by another process."""
    unseen = [gap for gap in gaps if gap.is_unseen]
    found = compute_unseen([gap.call for gap in unseen]) if unseen else []
    values = {gap.index: value for gap, value in zip(unseen, found, strict=True)}
    left = [gap for gap in gaps if not gap.is_unseen]
    deadline = time.monotonic() + engine().options.lease_seconds
    while left:
        # Who has waited long enough asks nobody.
        late = time.monotonic() >= deadline
        ours = left if late else _take(left)
        if ours:
            values |= _settle(ours, leased=not late)
        left = [gap for gap in left if gap.index not in values]
        values |= _wait_for_others(left, deadline)
        left = [gap for gap in left if gap.index not in values]
    return values


def _take(gaps: Sequence[Gap[R]]) -> list[Gap[R]]:
    """Return those that are ours to compute: with a lease, or because there is none to be had."""
    seconds = engine().options.lease_seconds
    ours = [gap for gap in gaps if gap.lease is None]
    for node, group in _by_node(gaps):
        won = node.add([Item(str(gap.lease), b"1", seconds) for gap in group])
        ours += group if won is None else [g for g, mine in zip(group, won, strict=True) if mine]
    return sorted(ours, key=lambda gap: gap.index)


def _settle(gaps: Sequence[Gap[R]], *, leased: bool) -> dict[int, R]:
    """Return what others have stored since we looked, and compute and store the rest."""
    values: dict[int, R] = {}
    leases = list(_by_node(gaps)) if leased else []
    try:
        for node, group in leases:
            _collect(node, group, values)
        if rest := [gap for gap in gaps if gap.index not in values]:
            values |= _compute_together(rest)
    finally:
        for node, group in leases:
            node.drop([str(gap.lease) for gap in group])
    return values


def _compute_together(gaps: Sequence[Gap[R]]) -> dict[int, R]:
    """Compute, with the function's `bulk` if it has one, and store."""
    servers = {gap.where.node.name for gap in gaps if gap.versions is not None}
    computed = compute_many([gap.call for gap in gaps], *servers)
    keep(
        [
            Kept(gap.call, gap.where, gap.versions, item)
            for gap, item in zip(gaps, computed, strict=True)
            if gap.versions is not None
        ]
    )
    return {gap.index: item.value for gap, item in zip(gaps, computed, strict=True)}


def _wait_for_others(gaps: Sequence[Gap[R]], deadline: float) -> dict[int, R]:
    """Return what the holders of the leases store, until none of these is held any more."""
    values: dict[int, R] = {}
    pause, waiting = FIRST_WAIT, list(gaps)
    for gap in gaps:
        count(gap.call.name, "waits")
    while waiting and time.monotonic() < deadline:
        held = []
        for node, group in _by_node(waiting):
            held += _collect(node, group, values)
        waiting = held
        if waiting:
            time.sleep(pause * _dice.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_WAIT)
    return values


def _collect(node: Node, gaps: Sequence[Gap[R]], values: dict[int, R]) -> list[Gap[R]]:
    """Add what is stored by now to `values`; return the gaps that are still being computed."""
    keys = dict.fromkeys(
        key for gap in gaps for key in (gap.where.key, *gap.where.tags, str(gap.lease))
    )
    answer = node.get(list(keys))
    if answer is None:
        return []
    raw = dict(zip(keys, answer, strict=True))
    held = []
    for gap in gaps:
        versions = tuple([raw[tag] for tag in gap.where.tags])
        look = judge(gap.call, raw[gap.where.key], versions)
        if look.is_shown:
            values[gap.index] = look.value
            memo.remember(gap.where.key, look)
        elif raw[str(gap.lease)] is not None:
            held.append(gap)
    return held


def _by_node(gaps: Iterable[Gap[R]]) -> Iterable[tuple[Node, list[Gap[R]]]]:
    groups: dict[Node, list[Gap[R]]] = {}
    for gap in gaps:
        if gap.lease is not None:
            groups.setdefault(gap.where.node, []).append(gap)
    return groups.items()


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
