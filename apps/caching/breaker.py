"""A circuit breaker: a server that is away costs one time-out now and then, not one per widget."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable

from apps.caching.locks import Lock

FAILURES = 3
WITHIN = 5.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
_dice = random.SystemRandom()  # the processes of a site may be forks of one


class Breaker:
    """Opens after three failures in five seconds, for one second and then twice as long each time.

    When a pause is over one caller is let through; its `worked` closes the breaker.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._pause = 0.0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        return self._pause > 0

    def allows(self) -> bool:
        """Say whether to try. True while open makes the caller the one probe of this pause."""
        if not self._pause:
            return True
        with self._lock:
            now = self._clock()
            if now < self._open_until:
                return False
            # The others go on waiting; a probe that never reports is followed by another one.
            self._open_until = now + self._pause
            return True

    def worked(self) -> None:
        if self._pause or self._failures:
            with self._lock:
                self._failures.clear()
                self._pause = self._open_until = 0.0

    def failed(self) -> None:
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            if self._pause:
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            elif len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN:
                self._pause = FIRST_PAUSE
            # Jitter, so that the processes of a site do not all knock in the same instant.
            self._open_until = now + self._pause * _dice.uniform(0.5, 1.0)
