"""The ways to ask a cached function: once, ahead, afresh. For many at once see `batches`."""

from __future__ import annotations

import random
import time
from typing import Any, TypeVar

from apps.caching import memo, transactions
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.flights import Flight, boarding
from apps.caching.keeping import Computed, Kept, compute_one, keep
from apps.caching.learning import relearn, widen
from apps.caching.lookup import Found, Look, Place, is_elsewhere, judge, look_at, look_up, place
from apps.caching.nesting import note_use
from apps.caching.renewal import renew
from apps.caching.stats import count
from apps.caching.stores import Item
from apps.caching.unseen import compute_unseen

R = TypeVar("R")
FIRST_WAIT, LONGEST_WAIT = 0.004, 0.05
_dice = random.SystemRandom()


def obtain(call: Call[R]) -> R:
    """Return the value of `call`: from the cache, or computed once however many ask for it."""
    note_use(call.tags)
    if transactions.has_changed(call.tags) or is_elsewhere(call):
        count(call.name, Found.CHANGED_HERE.value)
        return compute_one(call).value
    look = look_at(call)
    return settle(call, look) if call.learner is None else settle(*relearn(call, look))


def prefetch(*calls: Call[Any]) -> None:
    """Look all calls up now, in one round trip a server, for the rest of this request.

    Nothing is computed; what is missing is computed where it is used. Does nothing outside a
    request, see `RequestMemo`.
    """
    if memo.is_active():
        changed = transactions.changed_tags()
        look_up([call for call in calls if changed.isdisjoint(call.tags)])


def refresh(call: Call[R]) -> R:
    """Compute `call` now and store it in place of what is there."""
    note_use(call.tags)
    where = place(call, engine())
    versions = where.node.versions(where.tags)
    computed = compute_one(call, where.node.name)
    if versions is not None:
        keep([Kept(call, where, versions, computed)])
    return computed.value


def forget(call: Call[Any]) -> None:
    """Drop one entry. This is no invalidation: who is computing it now may store it after."""
    where = place(call, engine())
    memo.forget_all()
    where.node.drop([where.key])


def settle(call: Call[R], look: Look) -> R:
    """Return the value that `look` found, or see to it that it is computed once."""
    count(call.name, look.found.value)
    if look.is_due:
        renew([call], [look])
    if look.is_shown:
        return look.value  # type: ignore[no-any-return]
    if look.found is Found.CHANGED_HERE:
        return compute_one(call).value
    where = place(call, engine())
    versions = _complete(where, look)
    if versions is None:
        return compute_unseen([call])[0]
    return _compute_once(call, where, versions)


def _complete(where: Place, look: Look) -> tuple[bytes, ...] | None:
    """Return the versions to stamp with, giving one to each tag that had none. None: away."""
    return None if look.versions is None else where.node.versions(where.tags, look.versions)


def _compute_once(call: Call[R], where: Place, versions: tuple[bytes, ...]) -> R:
    with boarding((where.key, *versions)) as (flight, leads):
        if not leads:
            return _share(call, where, versions, flight)
        computed = _lead_or_wait(call, where, versions)
        if computed.shareable:
            flight.land(computed.value)
            memo.remember(where.key, Look(Found.HIT, computed.value, versions))
        return computed.value


def _share(call: Call[R], where: Place, versions: tuple[bytes, ...], flight: Flight) -> R:
    """Return what the flight brings, if it brings what the caller may be answered with."""
    count(call.name, "waits")
    landed, value = flight.wait(engine().options.lease_seconds)
    if not landed:
        return compute_one(call).value
    # Who leads may have learned of tags that we did not look at: then it is not enough that we saw
    # the same versions as he when he began. One of the others may have changed since.
    other = call.learner.as_stored(call, value) if call.learner is not None else None
    if other is not None:
        return settle(other, look_up([other])[0])  # type: ignore[no-any-return] # as ours
    memo.remember(where.key, Look(Found.HIT, value, versions))
    return value  # type: ignore[no-any-return]


def _lead_or_wait(call: Call[R], where: Place, versions: tuple[bytes, ...]) -> Computed[R]:
    """Compute under a lease, or wait for the process that holds it."""
    eng = engine()
    deadline = time.monotonic() + eng.options.lease_seconds
    lease = eng.keys.lease(where.key, versions)
    while time.monotonic() < deadline:
        if _take(where, lease):
            try:
                # The one before us may have stored and let go since we looked.
                again = relearn(call, _look_again(call, where))[1]
                if again.is_shown:
                    return Computed(again.value, 0.0)
                return _compute_and_keep(call, where, versions)
            finally:
                where.node.drop([lease])
        count(call.name, "waits")
        look = _wait_for_leader(call, where, lease, deadline)
        if look is not None:
            return Computed(look.value, 0.0)
    return _compute_and_keep(call, where, versions)


def _take(where: Place, lease: str) -> bool:
    won = where.node.add([Item(lease, b"1", engine().options.lease_seconds)])
    return won is None or won[0]


def _look_again(call: Call[Any], where: Place) -> Look:
    raw, *versions = where.node.get([where.key, *where.tags]) or [None]
    return judge(call, raw, tuple(versions))


def _wait_for_leader(call: Call[Any], where: Place, lease: str, deadline: float) -> Look | None:
    """Return what the leader stored, or None when it let go of the lease without storing."""
    pause = FIRST_WAIT
    while time.monotonic() < deadline:
        time.sleep(pause * _dice.uniform(0.5, 1.0))
        pause = min(pause * 2, LONGEST_WAIT)
        answer = where.node.get([where.key, *where.tags, lease])
        if answer is None:
            return None
        raw, *versions, held = answer
        look = judge(call, raw, tuple(versions))
        if look.is_shown:
            return look
        if held is None:
            return None
    return None


def _compute_and_keep(call: Call[R], where: Place, versions: tuple[bytes, ...]) -> Computed[R]:
    kept = widen(Kept(call, where, versions, compute_one(call, where.node.name)))
    keep([kept])
    return kept.computed
