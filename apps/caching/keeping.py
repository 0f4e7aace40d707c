"""Computing a value, and storing it if it may be stored."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from apps.caching import memo, transactions
from apps.caching.calls import Call
from apps.caching.codecs import Uncacheable
from apps.caching.engine import engine
from apps.caching.envelope import MAX_TAGS, Envelope, pack
from apps.caching.events import Stored, tell
from apps.caching.lookup import Found, Look, Place
from apps.caching.nesting import Computation, computing
from apps.caching.stats import count
from apps.caching.stores import Item

logger = logging.getLogger(__name__)
T = TypeVar("T")
_dice = random.SystemRandom()
_said: set[tuple[str, str]] = set()


class Computed(NamedTuple, Generic[T]):
    """A value and how long it took.

    `common`: others than this transaction may see it. `complete`: all that it is built from is in
    its tags.
    """

    value: T
    seconds: float
    common: bool = True
    complete: bool = True

    @property
    def shareable(self) -> bool:
        """Say whether it may be stored, and shared by versions."""
        return self.common and self.complete


class Kept(NamedTuple):
    call: Call[Any]
    where: Place
    versions: tuple[bytes, ...]
    computed: Computed[Any]
    longest: float = float("inf")  # how many seconds it may live at most


def compute(calls: Sequence[Call[Any]], run: Callable[[], T], *kept_on: str) -> Computed[T]:
    """Run a computation for these calls; the seconds are those of each call.

    `kept_on` are the names of the servers that will hold the result.
    """
    # What a batch uses goes into all of its entries, so each of them must name it.
    tags = set.intersection(*(set(call.tags) for call in calls))
    started = time.perf_counter()
    try:
        with computing(tags, kept_on, name=calls[0].name) as computation:
            result = run()
    except Exception:
        count(calls[0].name, "raised")
        raise
    seconds = (time.perf_counter() - started) / len(calls)
    for call in calls:
        count(call.name, "computations")
        count(call.name, "seconds_computing", seconds)
    every_tag = {tag for call in calls for tag in call.tags}
    return Computed(
        result,
        seconds,
        complete=_declared_all(calls[0], computation),
        common=not transactions.has_changed(every_tag | computation.used)
        and transactions.others_see_the_same(),
    )


def compute_one(call: Call[T], *kept_on: str) -> Computed[T]:
    return compute([call], call.compute, *kept_on)


def compute_many(calls: Sequence[Call[T]], *kept_on: str) -> list[Computed[T]]:
    """Compute calls of one function, together if it has a `bulk`."""
    bulk = calls[0].policy.bulk
    if bulk is None:
        return [compute_one(call, *kept_on) for call in calls]
    arguments = [call.arguments[0] for call in calls]
    values, seconds, *may_be = compute(calls, lambda: bulk(arguments), *kept_on)
    return [
        Computed(values[argument], seconds, *may_be)
        if argument in values
        else compute_one(call, *kept_on)
        for call, argument in zip(calls, arguments, strict=True)
    ]


def keep(values: Sequence[Kept]) -> None:
    """Store what may be stored, in one round trip a server, and remember it for this request."""
    by_node: dict[str, list[Item]] = {}
    # One draw for all: what was computed together may be computed together again.
    shortened = _dice.uniform(1 - engine().options.jitter, 1)
    nodes = {kept.where.node.name: kept.where.node for kept in values}
    for kept in values:
        if not kept.computed.shareable:
            continue
        memo.remember(kept.where.key, Look(Found.HIT, kept.computed.value, kept.versions))
        item = _item(kept, shortened)
        if item is not None:
            by_node.setdefault(kept.where.node.name, []).append(item)
    for name, items in by_node.items():
        nodes[name].put(items)


def _item(kept: Kept, shortened: float) -> Item | None:
    call, options = kept.call, engine().options
    fresh = min(call.policy.timeout.total_seconds() * shortened, kept.longest)
    try:
        codec, payload = _encode(kept)
    except Uncacheable as error:
        count(call.name, "uncacheable")
        _say_once(call, f"returned a value that cannot be stored: {error}")
        return None
    envelope = Envelope(
        codec=codec,
        created_ms=time.time_ns() // 1_000_000,
        fresh_ms=int(fresh * 1000),
        delta_us=int(kept.computed.seconds * 1_000_000),
        stamps=b"".join(kept.versions),
        payload=payload,
    )
    raw = pack(envelope, compress_from=options.compress_from)
    if len(raw) > options.max_bytes:
        count(call.name, "oversize")
        _say_once(call, f"is too large to be stored: {len(raw)} bytes")
        return None
    tell(Stored(call))
    count(call.name, "stores")
    count(call.name, "bytes_written", len(raw))
    return Item(kept.where.key, raw, fresh + call.policy.stale_for.total_seconds())


def _encode(kept: Kept) -> tuple[int, bytes]:
    if len(kept.versions) > MAX_TAGS:
        raise Uncacheable(f"{len(kept.versions)} tags are more than {MAX_TAGS}")
    return kept.call.codec().encode(kept.computed.value)


def _declared_all(call: Call[Any], computation: Computation) -> bool:
    if not computation.undeclared:
        return True
    if call.learner is not None:
        call.learner.note(frozenset(computation.used))
        return False
    count(call.name, "undeclared")
    missing = ", ".join(sorted(computation.undeclared))
    _say_once(call, f"is not stored: it uses entries with tags that it lacks: {missing}")
    return False


def _say_once(call: Call[Any], what: str) -> None:
    # The counter says how often; a log line for each page would drown the log.
    if (call.name, what[:20]) not in _said:
        _said.add((call.name, what[:20]))
        logger.error("%r %s", call, what)
