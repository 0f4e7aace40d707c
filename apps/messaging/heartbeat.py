"""The heartbeat: one thread per worker process renews the leases of the jobs it runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.messaging import ledger
from apps.messaging.conf import limits
from apps.messaging.models import Job

logger = logging.getLogger(__name__)


class Heart:
    """Beats while jobs are held. Its thread starts with the first job and sleeps without one."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], float] = {}
        self._changed = threading.Condition()
        self._pid = 0

    @contextmanager
    def holding(self, job: Job) -> Iterator[None]:
        """Keep the lease of `job`, but not past its time limit: what hangs must be let go."""
        until = time.monotonic() + (job.time_limit or float("inf"))
        with self._changed:
            self._held[job.pk, job.attempt] = until
            self._start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._held.pop((job.pk, job.attempt), None)

    def _start(self) -> None:
        # Threads do not survive a fork: a prefork child needs a heart of its own.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held)
            # Outside the lock, so that jobs which begin meanwhile do not wake this thread.
            time.sleep(limits().lease_seconds / 3)
            with self._changed:
                now = time.monotonic()
                held = [key for key, until in self._held.items() if until > now]
            if held:
                self._beat(held)

    def _beat(self, held: list[tuple[int, int]]) -> None:
        try:
            ours = ledger.extend(held)
        except Exception:
            # The next beat may succeed before the leases run out.
            logger.exception("heartbeat failed")
        else:
            if ours < len(held):
                logger.info("%d of %d jobs are no longer ours", len(held) - ours, len(held))
        finally:
            # Seldom used, so not kept: a beat each ten seconds is worth no idle connection.
            connection.close()


heart = Heart()
