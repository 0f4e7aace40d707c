"""Who goes first inside a queue."""

from __future__ import annotations

import enum


class Priority(enum.IntEnum):
    """The smaller number goes first. Few and far apart, so that one more fits in between."""

    URGENT = 0
    """A person looks at the screen and waits for it."""
    NORMAL = 5
    BULK = 9
    """Nobody waits: an import, a repair of thousands of rows."""
