"""Versions of tags: eight bytes that are never used twice.

44 bits of milliseconds, then 20 random bits; one process never draws the same or a smaller number
again, and two would have to draw one of a million in the same millisecond. A fork goes on from
a place of its own, for where the clock was set back its brothers count on from the same number.
Versions are compared for equality only, so clocks that disagree do no harm; the clock is in there
to make a version new after every loss of memory, where a counter would start again and meet the
stamps of old entries.
"""

from __future__ import annotations

import os
import secrets
import threading
import time

RANDOM_BITS = 20
CLOCK_BITS = 44
VERSION_BYTES = 8
SPREAD_BITS = 10  # forks spread over a second


_lock = threading.Lock()
_last = 0


def new_version() -> bytes:
    """Return a version that no tag has had. Draw one for each transmission: see `Node.bump`."""
    global _last  # noqa: PLW0603 - the one place, under the lock
    milliseconds = time.time_ns() // 1_000_000 & ((1 << CLOCK_BITS) - 1)
    number = milliseconds << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    with _lock:
        # A clock that was set back makes this a counter until it has caught up.
        _last = number = max(number, _last + 1)
    return number.to_bytes(VERSION_BYTES, "big")


def written_at(version: bytes) -> float:
    """Return when a version was drawn, in seconds since 1970: for people, not for decisions."""
    return (int.from_bytes(version, "big") >> RANDOM_BITS) / 1000


def _go_elsewhere() -> None:
    global _lock, _last  # noqa: PLW0603 - another thread of the parent may have held the lock
    _lock = threading.Lock()
    _last += secrets.randbits(RANDOM_BITS + SPREAD_BITS)


os.register_at_fork(after_in_child=_go_elsewhere)
