"""Work that no visitor waits for: a few threads of this process and a short queue."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context

from django.db import connections

from apps.caching.engine import engine

logger = logging.getLogger(__name__)
Work = Callable[[], None]
# More than these would be late: what they would write is asked for again by the next reader.
WAITING = 32


class Background:
    """Threads that start with the first work and end when there is none left.

    They are daemons: a process that ends does not wait for them, and what they held in the cache
    expires. Each piece of work has a context and database connections of its own. With no threads
    at all the work is done in the caller's, before `submit` returns: for tests.
    """

    def __init__(self, *, threads: int, waiting: int = WAITING) -> None:
        self._threads = threads
        self._waiting = waiting
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        self._running = 0

    @property
    def is_full(self) -> bool:
        return len(self._queue) >= self._waiting

    @property
    def is_idle(self) -> bool:
        return not self._running and not self._queue

    def submit(self, work: Work) -> bool:
        """Take `work` on; False if too much is waiting already. Never raises."""
        if not self._threads:
            _do(work, Exception)
            return True
        with self._lock:
            if self.is_full:
                return False
            self._queue.append(work)
            return self._running == self._threads or self._start_one()

    def _start_one(self) -> bool:
        try:
            threading.Thread(target=self._run, daemon=True, name="cache-background").start()
        except RuntimeError:
            # There are too many threads already, or the interpreter is about to end.
            if not self._running:
                self._queue.pop()
            return bool(self._running)
        self._running += 1
        return True

    def _run(self) -> None:
        while (work := self._next()) is not None:
            # Whatever it was: without this thread the queue would stay full for ever.
            _do(work, BaseException)
            _do(connections.close_all, BaseException)

    def _next(self) -> Work | None:
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            # Here, under the lock: nobody relies on a thread that has found nothing to do.
            self._running -= 1
            return None


# By process: after a fork there are no threads in the child, only the objects that stood for them.
_pools: dict[tuple[int, int], Background] = {}


def background() -> Background:
    """Return the threads of this process."""
    key = (os.getpid(), engine().options.background_threads)
    return _pools.get(key) or _pools.setdefault(key, Background(threads=key[1]))


def is_idle() -> bool:
    """Say whether nothing is going on or waiting: for tests."""
    return all(pool.is_idle for pool in list(_pools.values()))


def _do(work: Work, caught: type[BaseException]) -> None:
    try:
        # A context of its own: not the memory of a request, not what it is computing.
        Context().run(work)
    except caught:
        logger.exception("work in the background failed")
