"""Reading: one round trip that brings the value and the versions of its tags."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

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


class Found(Enum):
    """What a look-up found; the words are those of the statistics."""

    HIT = "hits"
    SOFT = "stale"
    ABSENT = "misses_absent"
    OUTDATED = "misses_outdated"
    UNREADABLE = "misses_unreadable"
    AWAY = "misses_away"
    CHANGED_HERE = "bypassed"


@dataclass(slots=True)
class Look:
    """The outcome. `versions` are what a value computed now may be stamped with."""

    found: Found
    value: Any = None
    versions: tuple[bytes | None, ...] | None = None
    is_due: bool = False  # to be computed anew, while this value is shown

    @property
    def is_hit(self) -> bool:
        return self.found is Found.HIT


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call lives: its node, its key, the keys of its tags."""

    node: Node
    key: str
    tags: tuple[str, ...]


def place(call: Call[Any], eng: Engine) -> Place:
    """Return the place of `call`; every entry has two tags more than it declares."""
    keys = eng.keys
    key = keys.entry(call.name, call.digest)
    tags = (keys.epoch, keys.function(call.name), *(keys.tag(tag) for tag in call.tags))
    return Place(eng.servers.place(key), key, tags)


def is_elsewhere(call: Call[Any]) -> bool:
    """Say whether `call` lives on another server than the entry that is being built from it."""
    servers = servers_to_ask()
    return bool(servers) and servers != {place(call, engine()).node.name}


def look_up(calls: Sequence[Call[Any]]) -> list[Look]:
    """Look the calls up: from this request's memory, the others in one round trip a server."""
    ensure_reporting()
    eng = engine()
    places = [place(call, eng) for call in calls]
    looks = [memo.recall(where.key) for where in places]
    unknown: dict[Node, list[int]] = {}
    for index, look in enumerate(looks):
        if look is None:
            unknown.setdefault(places[index].node, []).append(index)
    for node, indexes in unknown.items():
        wanted = dict.fromkeys(
            key for index in indexes for key in (places[index].key, *places[index].tags)
        )
        answer = node.get(list(wanted))
        raw = None if answer is None else dict(zip(wanted, answer, strict=True))
        for index in indexes:
            looks[index] = look = _judge_one(calls[index], places[index], raw)
            memo.remember(places[index].key, look)
    return [look for look in looks if look is not None]


def _judge_one(call: Call[Any], where: Place, raw: dict[str, bytes | None] | None) -> Look:
    if raw is None:
        return Look(Found.AWAY)
    return judge(call, raw[where.key], tuple([raw[tag] for tag in where.tags]))


def judge(call: Call[Any], raw: bytes | None, versions: tuple[bytes | None, ...]) -> Look:
    """Decide whether these bytes, beside these versions, are an answer to `call`."""
    if raw is None:
        return Look(Found.ABSENT, versions=versions)
    try:
        envelope = unpack(raw)
        if envelope.versions != versions:
            return Look(Found.OUTDATED, versions=versions)
        value = call.codec().decode(envelope.codec, envelope.payload)
    except (ValueError, Uncacheable):
        return Look(Found.UNREADABLE, versions=versions)
    count(call.name, "bytes_read", len(raw))
    return _dated(call.policy, envelope, Look(Found.HIT, value, versions))


def _dated(policy: Policy[Any], envelope: Envelope, look: Look) -> Look:
    # Unless it is to be renewed or may be stale, the server's clock alone ends an entry.
    if policy.stale_for or policy.ahead is not None:
        now_ms = time.time_ns() // 1_000_000
        if policy.stale_for and not envelope.is_fresh(now_ms):
            look.found, look.is_due = Found.SOFT, True
        elif policy.ahead is not None:
            look.is_due = is_due(envelope, ahead=policy.ahead, now_ms=now_ms)
    return look
