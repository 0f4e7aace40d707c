"""How many streams one person, and one address, may hold open: nobody takes the room of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Taken(Exception):
    """Whoever asks holds as many streams already as one may."""


class Seats:
    """Streams that are open, by the name of who holds them. No name, no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        """Count the names that hold any: those that hold none are forgotten."""
        return len(self._taken)

    @contextmanager
    def one_for(self, name: str) -> Iterator[None]:
        """Hold one until the block ends. Raises Taken."""
        if not name:
            yield
            return
        if self._taken[name] >= self._most:
            raise Taken
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]
