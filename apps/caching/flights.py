"""One thread of this process computes an entry; the others wait for it, for a while."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_flights: dict[tuple[object, ...], Flight] = {}


def _start_anew() -> None:
    # A fork copies the flights of the parent, but not the threads that would land them.
    global _lock  # noqa: PLW0603 - it may have been held by one of those
    _lock = threading.Lock()
    _flights.clear()


os.register_at_fork(after_in_child=_start_anew)


class Flight:
    """A computation that others may wait for."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._value: Any = None
        self._landed = False

    def land(self, value: Any) -> None:
        self._value, self._landed = value, True

    def finish(self) -> None:
        self._done.set()

    def is_over(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def wait(self, seconds: float) -> tuple[bool, Any]:
        """Return (True, value), or (False, None) if it failed or took too long."""
        self._done.wait(seconds)
        return self._landed, self._value


def in_the_air(key: tuple[object, ...]) -> Flight | None:
    """Return the flight of `key` that has begun and is not over. The next one sees more."""
    with _lock:
        return _flights.get(key)


@contextmanager
def boarding(key: tuple[object, ...]) -> Iterator[tuple[Flight, bool]]:
    """Yield the flight of `key`, and whether the caller leads it.

    The key holds the versions that the caller saw: who saw newer ones does not wait for data that
    is older than they are.
    """
    with _lock:
        flight = _flights.get(key)
        leads = flight is None
        if flight is None:
            flight = _flights[key] = Flight()
    try:
        yield flight, leads
    finally:
        if leads:
            with _lock:
                _flights.pop(key, None)
            flight.finish()
