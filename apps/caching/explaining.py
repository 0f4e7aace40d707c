"""Why an entry is, or is not, an answer: everything that a look-up decides by, for a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError
from django.utils import translation

from apps.caching import codecs
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.envelope import COMPRESSED, FLAGS, Envelope, Unreadable, unpack
from apps.caching.lookup import Found, Place, judge, place
from apps.caching.outbox import rows
from apps.caching.stores import Refused, StoreAway
from apps.caching.sweeping import databases
from apps.caching.versions import written_at

STATES = {
    Found.HIT: "fresh",
    Found.SOFT: "stale",
    Found.ABSENT: "absent",
    Found.OUTDATED: "outdated",
    Found.UNREADABLE: "unreadable",
}
CODECS = {
    codecs.NONE: "None",
    codecs.TEXT: "text",
    codecs.HTML: "HTML",
    codecs.MSGPACK: "MessagePack",
    codecs.BYTES: "bytes",
}
IMPLICIT = ("(everything)", "(this function)")
MANY_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class TagState:
    """A tag on the server of the entry. Without a version nobody has used it there lately."""

    tag: str
    key: str
    version: str | None
    written: float | None  # seconds since 1970, by the clock of who wrote it
    stamped: str | None  # the version that the entry carries

    @property
    def agrees(self) -> bool:
        return self.version is not None and self.version == self.stamped


@dataclass(frozen=True, kw_only=True)
class EntryState:
    """What lies under the key."""

    created: float
    age: float
    fresh_for: float  # seconds from now; negative: it is past its timeout
    bytes: int
    payload_bytes: int  # as it is when it is not compressed
    compressed: bool
    codec: str
    seconds_computing: float
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a look-up of one call would meet now."""

    call: str
    language: str
    key: str
    server: str
    state: str  # fresh, stale, outdated, absent, unreadable, away
    outdated_by: tuple[str, ...]
    tags: tuple[TagState, ...]
    entry: EntryState | None
    lease_held: bool | None  # somebody computes it at this moment; None: it cannot be known
    undelivered: int | None  # invalidations of it that the database holds and the server may lack


def explain(call: Call[Any], *, title: str = "") -> Explanation:
    """Look at the entry of `call` and at its tags, past breakers and memories. Never raises.

    `title` is what the call is called, if not by its name and arguments.
    """
    title = title or f"{call.name}{_in_brackets(call.arguments)}"
    where = place(call, engine())
    try:
        raw, *versions = where.node.store.get([where.key, *where.tags])
        lease = _is_leased(where, versions)
    except (StoreAway, Refused):
        return _explanation(title, call, where, "away", (), None, None)
    look = judge(call, raw, tuple(versions))
    # The tags of a page stand in the page: until it has been read they were a guess.
    if call.learner is not None and look.found is Found.OUTDATED:
        other = call.learner.as_stored(call, look.value)
        if other is not None:
            return explain(other, title=title)
    entry = _entry(raw, look.value)
    tags = _tags(call, where, versions, raw)
    return _explanation(title, call, where, STATES[look.found], tags, entry, lease)


def _explanation(  # noqa: PLR0913, PLR0917 - the pieces as they were found
    title: str,
    call: Call[Any],
    where: Place,
    state: str,
    tags: tuple[TagState, ...],
    entry: EntryState | None,
    lease: bool | None,  # noqa: FBT001
) -> Explanation:
    outdated = state == "outdated"
    return Explanation(
        call=title,
        language=translation.get_language() or "" if call.policy.by_language else "",
        key=where.key,
        server=where.node.name,
        state=state,
        outdated_by=tuple(tag.tag for tag in tags if outdated and not tag.agrees),
        tags=tags,
        entry=entry,
        lease_held=lease,
        undelivered=_count_undelivered(call, where.node.name),
    )


def _in_brackets(arguments: Sequence[object]) -> str:
    return f"({', '.join(map(repr, arguments))})"


def _is_leased(where: Place, versions: Sequence[bytes | None]) -> bool | None:
    known = [version for version in versions if version is not None]
    if len(known) < len(versions):
        return None  # who computes gives the missing ones a version first
    return where.node.store.get([engine().keys.lease(where.key, known)]) != [None]


def _tags(
    call: Call[Any], where: Place, versions: Sequence[bytes | None], raw: bytes | None
) -> tuple[TagState, ...]:
    stamps = _stamps(raw)
    stamped = stamps if len(stamps) == len(versions) else [None] * len(versions)
    names = (*IMPLICIT, *call.tags)
    return tuple(
        TagState(
            tag=name,
            key=key,
            version=version.hex() if version else None,
            written=written_at(version) if version else None,
            stamped=stamp.hex() if stamp else None,
        )
        for name, key, version, stamp in zip(names, where.tags, versions, stamped, strict=True)
    )


def _stamps(raw: bytes | None) -> Sequence[bytes | None]:
    envelope = _envelope(raw)
    return envelope.versions if envelope else ()


def _entry(raw: bytes | None, value: Any) -> EntryState | None:
    envelope = _envelope(raw)
    if raw is None or envelope is None:
        return None
    created = envelope.created_ms / 1000
    age = time.time() - created
    return EntryState(
        created=created,
        age=age,
        fresh_for=envelope.fresh_ms / 1000 - age,
        bytes=len(raw),
        payload_bytes=len(envelope.payload),
        compressed=bool(raw[FLAGS] & COMPRESSED),
        codec=CODECS.get(envelope.codec, f"unknown ({envelope.codec})"),
        seconds_computing=envelope.delta_us / 1_000_000,
        value=value,
    )


def _envelope(raw: bytes | None) -> Envelope | None:
    try:
        return unpack(raw) if raw is not None else None
    except Unreadable:
        return None


def _count_undelivered(call: Call[Any], server: str) -> int | None:
    """Count the invalidations of this call that wait in the database; None: it does not tell."""
    if not engine().options.durable:
        return 0
    try:
        return sum(
            1
            for using in databases()
            for row in rows(using).filter(server__in=["", server])[:MANY_ROWS]
            if not row.tags or not set(call.tags).isdisjoint(row.tags)
        )
    except DatabaseError:
        return None
