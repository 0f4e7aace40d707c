"""One thread of this process computes an entry; the others wait for it, for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_flights: dict[tuple[object, ...], Flight] = {}


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

    def wait(self, seconds: float) -> tuple[bool, Any]:
        """Return (True, value), or (False, None) if it failed or took too long."""
        self._done.wait(seconds)
        return self._landed, self._value


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
