"""Reading: one round trip that brings the value and the versions of its tags."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

import msgspec

from apps.caching import memo
from apps.caching.calls import Call, Policy
from apps.caching.codecs import Uncacheable
from apps.caching.engine import Engine, engine
from apps.caching.envelope import Envelope, unpack
from apps.caching.expiry import is_due
from apps.caching.nesting import servers_to_ask
from apps.caching.node import Node
from apps.caching.reporting import ensure_reporting
from apps.caching.stats import count


class Found(StrEnum):
    """What a look-up found; the words are those of the statistics."""

    HIT = "hits"
    SOFT = "stale"
    ABSENT = "misses_absent"
    OUTDATED = "misses_outdated"
    UNREADABLE = "misses_unreadable"
    AWAY = "misses_away"
    CHANGED_HERE = "bypassed"


class Look(msgspec.Struct):
    """The outcome. `versions` are what a value computed now may be stamped with."""

    found: Found
    value: Any = None
    versions: tuple[bytes | None, ...] | None = None
    is_due: bool = False  # to be computed anew, while this value is shown
    size: int = 0  # how many bytes were read for it, until they are counted
    created_ms: int = 0  # of which moment the entry is that is shown: it tells it from the next

    @property
    def is_hit(self) -> bool:
        return self.found is Found.HIT

    @property
    def is_shown(self) -> bool:
        """Say whether the value is an answer, be it a stale one."""
        return self.found is Found.HIT or self.found is Found.SOFT


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call lives: its node, its key, the keys of its tags."""

    node: Node
    key: str
    tags: tuple[str, ...]
    keys: tuple[str, ...]  # all of these: what a look-up asks for


def place(call: Call[Any], eng: Engine) -> Place:
    """Return the place of `call`; every entry has two tags more than it declares."""
    noted = call.placed
    if noted is None or noted[0] is not eng:
        noted = (eng, _find_place(call, eng))
        msgspec.structs.force_setattr(call, "placed", noted)
    return noted[1]


def _find_place(call: Call[Any], eng: Engine) -> Place:
    keys = eng.keys
    key = keys.entry(call.name, call.digest)
    tags = (keys.epoch, keys.function(call.name), *map(keys.tag, call.tags))
    return Place(eng.servers.place(key), key, tags, (key, *tags))


def is_elsewhere(call: Call[Any]) -> bool:
    """Say whether `call` lives on another server than the entry that is being built from it."""
    servers = servers_to_ask()
    return bool(servers) and servers != {place(call, engine()).node.name}


def look_at(call: Call[Any]) -> Look:
    """Look one call up: from this request's memory, or in one round trip."""
    ensure_reporting()
    where = place(call, engine())
    look = memo.recall(where.key)
    if look is None:
        answer = where.node.get(where.keys)
        look = Look(Found.AWAY) if answer is None else judge(call, answer[0], tuple(answer[1:]))
        memo.remember(where.key, look)
    return look


def look_up(calls: Sequence[Call[Any]]) -> list[Look]:
    """Look the calls up: from this request's memory, the others in one round trip a server."""
    ensure_reporting()
    eng = engine()
    places = [place(call, eng) for call in calls]
    looks = memo.recall_all([where.key for where in places])
    unknown: dict[Node, list[tuple[Call[Any], Place]]] = {}
    for call, where in zip(calls, places, strict=True):
        if where.key not in looks:
            unknown.setdefault(where.node, []).append((call, where))
    for node, wanted in unknown.items():
        found = _look_up_on(node, wanted)
        memo.remember_all(found)
        looks.update(found)
    return [looks[where.key] for where in places]


def _look_up_on(node: Node, wanted: Sequence[tuple[Call[Any], Place]]) -> dict[str, Look]:
    """Return what one server knows of these, by their keys."""
    keys = list(dict.fromkeys(chain.from_iterable([where.keys for _, where in wanted])))
    answer = node.get(keys)
    if answer is None:
        return {where.key: Look(Found.AWAY) for _, where in wanted}
    raw = dict(zip(keys, answer, strict=True))
    found: dict[str, Look] = {}
    read: dict[str, int] = {}
    for call, where in wanted:
        entry = raw[where.key]
        found[where.key] = _weigh(call, entry, tuple([raw[tag] for tag in where.tags]))
        if entry is not None:
            read[call.name] = read.get(call.name, 0) + len(entry)
    for name, size in read.items():
        count(name, "bytes_read", size)
    return found


def judge(call: Call[Any], raw: bytes | None, versions: tuple[bytes | None, ...]) -> Look:
    """Decide whether these bytes, beside these versions, are an answer to `call`."""
    if raw is not None:
        count(call.name, "bytes_read", len(raw))
    return _weigh(call, raw, versions)


def _weigh(call: Call[Any], raw: bytes | None, versions: tuple[bytes | None, ...]) -> Look:
    if raw is None:
        return Look(Found.ABSENT, versions=versions)
    try:
        envelope = unpack(raw)
        # A version that is missing may have been any.
        if None in versions or envelope.stamps != b"".join(versions):  # type: ignore[arg-type]
            return Look(Found.OUTDATED, _outdated_value(call, envelope), versions)
        value = call.codec().decode(envelope.codec, envelope.payload)
    except (ValueError, Uncacheable):
        return Look(Found.UNREADABLE, versions=versions)
    look = Look(Found.HIT, value, versions, created_ms=envelope.created_ms)
    policy = call.policy
    # Unless it is to be renewed or may be stale, the server's clock alone ends an entry.
    if policy.ahead is not None or policy.stale_for:
        _date(look, envelope, policy)
    return look


def _date(look: Look, envelope: Envelope, policy: Policy[Any]) -> None:
    """Say of a hit whether it is stale, or due to be computed anew."""
    now_ms = time.time_ns() // 1_000_000
    if policy.stale_for and not envelope.is_fresh(now_ms):
        look.found, look.is_due = Found.SOFT, True
    elif policy.ahead is not None:
        look.is_due = is_due(envelope, ahead=policy.ahead, now_ms=now_ms)


def _outdated_value(call: Call[Any], envelope: Envelope) -> Any:
    """What is out of date still says by which tags: perhaps it is another's, and true."""
    return None if call.learner is None else call.codec().decode(envelope.codec, envelope.payload)
