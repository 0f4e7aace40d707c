"""How many may wait, and whether waiting makes sense: nobody waits for what would come too late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apps.messaging.exceptions import Busy

# How much of what is known gives way to what was seen last.
WEIGHT = 0.3


class Crowd:
    """Who waits for the answers of one question in this process, and what waiting has been like.

    A question that met `ahead` messages in its queue and took `seconds` says that each place in the
    queue takes about seconds / (ahead + 1), however many workers there are: they come and go, and
    nobody has to be told. With an empty queue it is always worth a try.
    """

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._each = 0.0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places to wait in. Raises Busy at once when all are taken."""
        if not self._places.acquire(blocking=False):
            raise Busy("too many wait here")
        try:
            yield
        finally:
            self._places.release()

    def expects(self, ahead: int) -> float:
        """How many seconds the answer will take, if so many messages are ahead; 0: no idea."""
        return self._each * (ahead + 1) if ahead else 0.0

    def learn(self, ahead: int, seconds: float) -> None:
        """Remember what one question met, and how long it took."""
        seen = seconds / (ahead + 1)
        with self._lock:
            self._each = seen if not self._each else self._each + WEIGHT * (seen - self._each)
