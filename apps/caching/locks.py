"""Locks that a fork does not copy as taken.

A child has one thread, and whatever another thread of its parent held at the fork would be held
in the child for ever: a worker that starts children has threads of this layer beside it.
"""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class Lock:
    """As `threading.Lock`, in a `with`; free in every child of a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def start_anew(self) -> None:
        self._lock = threading.Lock()


_locks: WeakSet[Lock] = WeakSet()


def _start_anew() -> None:
    for lock in list(_locks):
        lock.start_anew()


os.register_at_fork(after_in_child=_start_anew)
