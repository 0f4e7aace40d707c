"""How long a job waits between its tries."""

from __future__ import annotations

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Waits that double from `first` to `limit` seconds, until `total` seconds have gone by.

    Each wait is drawn from below its ceiling ("full jitter"), so that jobs which failed together
    do not come back together. `steady` is the part of the ceiling that is always waited: with 0.5
    no wait is shorter than the one before it.
    """

    first: float = 5.0
    limit: float = 600.0
    total: float = 3600.0
    steady: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.limit:
            raise ValueError("a backoff needs 0 < first <= limit")
        if not 0 <= self.steady <= 1:
            raise ValueError("steady is a share, from 0 to 1")

    def ceiling(self, failures: int) -> float:
        """The longest wait after so many failures (1 is the first)."""
        # 2 ** 40 seconds is past any limit; an unbounded power would overflow the float.
        return min(self.limit, self.first * 2.0 ** min(failures - 1, 40))

    def wait(self, failures: int, chance: float) -> float:
        """The wait after so many failures; `chance` is a random number from 0 to 1."""
        return self.ceiling(failures) * (self.steady + (1 - self.steady) * chance)
