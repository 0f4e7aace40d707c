"""Versions of tags: eight bytes that are never used twice.

44 bits of milliseconds, then 20 random bits; one process never draws the same or a smaller number
again, and two would have to draw one of a million in the same millisecond. The random bits are new
each time, also where the clock was set back: the forks of one process go on from the same number.
Versions are compared for equality only, so clocks that disagree do no harm; the clock is in there
to make a version new after every loss of memory, where a counter would start again and meet the
stamps of old entries.
"""

from __future__ import annotations

import secrets
import threading
import time

RANDOM_BITS = 20
CLOCK_BITS = 44
VERSION_BYTES = 8


_lock = threading.Lock()
_last = 0


def new_version() -> bytes:
    """Return a version that no tag has had. Draw one for each transmission: see `Node.bump`."""
    global _last  # noqa: PLW0603 - the one place, under the lock
    milliseconds = time.time_ns() // 1_000_000 & ((1 << CLOCK_BITS) - 1)
    chance = secrets.randbits(RANDOM_BITS)
    with _lock:
        if milliseconds < _last >> RANDOM_BITS:  # the clock was set back
            milliseconds = (_last >> RANDOM_BITS) + 1
        _last = number = max(milliseconds << RANDOM_BITS | chance, _last + 1)
    return number.to_bytes(VERSION_BYTES, "big")
