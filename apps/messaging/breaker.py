"""A breaker: after a failure, do not try again for a while."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Open for `seconds()` after each failure. One per process; safe to share between threads."""

    def __init__(
        self, seconds: Callable[[], float], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._shut_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether trying is pointless."""
        return self._clock() < self._shut_at

    def trip(self) -> bool:
        """Note a failure; true if it is news."""
        is_news = not self.is_open
        self._shut_at = self._clock() + self._seconds()
        return is_news

    def reset(self) -> None:
        """Note a success."""
        self._shut_at = 0.0
