"""Calls that learn their tags: by computing, and from what is stored.

A page is built from entries that are known only when it has been built. So the entry itself says
by which tags it was stored, and a look-up guesses: the tags that this process saw last. A right
guess costs one round trip. A wrong one finds versions that do not fit and, beside them, the right
tags: it costs a second. No guess can make an old entry look true, for the tags are only a way to
find versions, and it is these that are compared.

A computation that turns out to be built from more than was guessed may not be stored, for nobody
had read the versions of the rest before. It is repeated with all tags, under the same lease: now
every version is read first, and what it is built from lies in the cache.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.keeping import Kept, compute_one
from apps.caching.locks import Lock
from apps.caching.lookup import Found, Look, look_up, place

MOST_GUESSES = 2000


def relearn(call: Call[Any], look: Look) -> tuple[Call[Any], Look]:
    """Look again where what was found has other tags than were guessed."""
    if call.learner is None or look.found is not Found.OUTDATED:
        return call, look
    other = call.learner.as_stored(call, look.value)
    return (call, look) if other is None else (other, look_up([other])[0])


def widen(kept: Kept) -> Kept:
    """Compute again with the tags that the first computation found out, if it found any."""
    call = kept.call
    if call.learner is None or kept.computed.shareable:
        return kept
    wider = call.learner.wider(call)
    if wider is None:
        return kept
    where = place(wider, engine())
    versions = where.node.versions(where.tags)
    if versions is None:
        return kept
    return Kept(wider, where, versions, compute_one(wider, where.node.name), kept.longest)


class Guesses:
    """The tags that entries had when this process saw them last; the oldest are forgotten."""

    def __init__(self, most: int = MOST_GUESSES) -> None:
        self._most = most
        self._lock = Lock()
        self._tags: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tags)

    def recall(self, digest: str) -> tuple[str, ...]:
        return self._tags.get(digest, ())

    def forget_all(self) -> None:
        with self._lock:
            self._tags.clear()

    def remember(self, digest: str, tags: tuple[str, ...]) -> None:
        with self._lock:
            self._tags[digest] = tags
            self._tags.move_to_end(digest)
            if len(self._tags) > self._most:
                self._tags.popitem(last=False)


guesses = Guesses()
