"""Computing entries anew while everybody is still answered with the old ones.

The versions are those that were read with the old value, before anything is asked of the database:
what is computed later is stamped with older versions at worst, and an outdated stamp is a miss.
It is also right when the caller is in a transaction. The work has a connection of its own and sees
what is committed, as every other reader does.

Who holds a lease looks again: the one before him may have stored and let go since his reader had
looked, and then there is nothing left to do. The reader does not wait for that look either.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.caching import memo
from apps.caching.background import background
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.keeping import Computed, Kept, compute_many, keep
from apps.caching.learning import relearn, widen
from apps.caching.lookup import Found, Look, Place, look_up, place
from apps.caching.node import Node
from apps.caching.stats import count
from apps.caching.stores import Item
from apps.caching.surroundings import Surroundings

logger = logging.getLogger(__name__)
_said: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An entry to be computed anew. `reason` is the counter that says why.

    `seen_ms` says which entry was shown to the reader who found it due; 0: none was.
    """

    call: Call[Any]
    where: Place
    versions: tuple[bytes, ...]
    reason: str
    seen_ms: int = 0
    ends: float = float("inf")  # when it ends at the latest, in seconds since 1970

    @property
    def lease(self) -> str:
        return engine().keys.lease(self.where.key, self.versions)


def renew(calls: Iterable[Call[Any]], looks: Iterable[Look]) -> None:
    """Have those of these entries that are due computed in the background, each by one process.

    Costs one round trip a server for their leases, and nothing when the background is full: the
    next reader asks again. Never raises.
    """
    due = [_due(call, look) for call, look in zip(calls, looks, strict=True) if look.is_due]
    if not due:
        return
    pool = background()
    if pool.is_full:
        _count_all(due, "background_full")
        return
    until = time.monotonic() + engine().options.lease_seconds
    won = take_leases(due)
    work = partial(compute_anew, won, until=until, around=Surroundings())
    if won and not pool.submit(work):
        _count_all(won, "background_full")
        _drop_leases(won)


def _due(call: Call[Any], look: Look) -> Due:
    look.is_due = False  # whoever asks for it again in this request need not try again
    where = place(call, engine())
    versions = tuple([version for version in look.versions or () if version is not None])
    reason = "renewed" if look.found is Found.SOFT else "ahead"
    seen_ms = look.created_ms
    return Due(call=call, where=where, versions=versions, reason=reason, seen_ms=seen_ms)


def take_leases(due: Sequence[Due]) -> list[Due]:
    """Return those that are ours to compute: nobody else is at it, and the server answers."""
    seconds = engine().options.lease_seconds
    won: list[Due] = []
    for node, group in _by_node(due):
        answers = node.add([Item(item.lease, b"1", seconds) for item in group]) or ()
        won += [item for item, taken in zip(group, answers, strict=False) if taken]
    return won


def compute_anew(due: Sequence[Due], *, until: float, around: Surroundings) -> None:
    """Compute and store entries under the leases that we hold `until` then, and let go of them.

    What somebody else has stored since it was found due is spared. What fails is counted, and
    logged when it first happens. Never raises.
    """
    together = due[0].call.policy.bulk is not None
    with around.restored():
        left = _spare(due, until)
        for group in [left] if together and left else [[item] for item in left]:
            if time.monotonic() >= until:
                return  # somebody else may hold the leases now
            try:
                servers = {item.where.node.name for item in group}
                _store(group, compute_many([item.call for item in group], *servers))
            except Exception as error:  # noqa: BLE001 - of the function that is decorated
                _count_all(group, "background_failed")
                _say_once(group[0].call, error)
            finally:
                _let_go(group, until)


def _spare(due: Sequence[Due], until: float) -> Sequence[Due]:
    """Return what is still to be computed: in the place of the rest lies another entry by now."""
    # Not what this request, if there is one, saw before it had the leases.
    with memo.suspended():
        looks = look_up([item.call for item in due])
        spared = [item for item, look in zip(due, looks, strict=True) if _has_another(item, look)]
    _count_all(spared, "spared")
    _let_go(spared, until)
    return [item for item in due if item not in spared]


def _has_another(item: Due, look: Look) -> bool:
    """Say whether another entry than the one that was seen is shown to readers now.

    It is one of another moment, be it before or after: whose clock told it does not matter. Should
    it be due as well, then those who are shown it see to that.
    """
    again = relearn(item.call, look)[1]
    return again.is_shown and again.created_ms != item.seen_ms


def _store(due: Sequence[Due], computed: Sequence[Computed[Any]]) -> None:
    """Store what is not outdated already: in its place may be something newer by now."""
    current = _current(due)
    kept = []
    for item, result in zip(due, computed, strict=True):
        if item in current:
            longest = item.ends - time.time()
            if longest > 0:
                kept.append(widen(Kept(item.call, item.where, item.versions, result, longest)))
                count(item.call.name, item.reason)
    keep(kept)


def _current(due: Sequence[Due]) -> list[Due]:
    current = []
    for node, group in _by_node(due):
        tags = list(dict.fromkeys(tag for item in group for tag in item.where.tags))
        present = dict(zip(tags, node.get(tags) or (), strict=False))
        current += [
            item
            for item in group
            if item.versions == tuple([present.get(tag) for tag in item.where.tags])
        ]
    return current


def _let_go(due: Sequence[Due], until: float) -> None:
    if due and time.monotonic() < until:
        _drop_leases(due)


def _drop_leases(due: Iterable[Due]) -> None:
    for node, group in _by_node(due):
        node.drop([item.lease for item in group])


def _by_node(due: Iterable[Due]) -> Iterable[tuple[Node, list[Due]]]:
    groups: dict[Node, list[Due]] = {}
    for item in due:
        groups.setdefault(item.where.node, []).append(item)
    return groups.items()


def _count_all(due: Iterable[Due], what: str) -> None:
    for item in due:
        count(item.call.name, what)


def _say_once(call: Call[Any], error: Exception) -> None:
    said = (call.name, type(error).__name__)
    if said not in _said:
        _said.add(said)
        logger.error("%r could not be renewed in the background", call, exc_info=error)
