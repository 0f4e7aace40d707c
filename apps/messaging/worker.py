"""What every worker does beside its jobs (a Celery bootstep, see project/celery.py)."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import bootsteps
from django.db import connection

from apps.messaging.conf import limits
from apps.messaging.sweeper import sweep

logger = logging.getLogger(__name__)


class Sweeper(bootsteps.StartStopStep):
    """Sweep at the start and every few seconds, in a thread of each worker's main process.

    Not a periodic task: that would wait in a queue behind the very jobs it is to wake, and there
    would be none while beat or the default worker is away.
    """

    # After the pool, so that no child is forked with this thread half-way through something.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self, parent: Any) -> None:  # noqa: ARG002
        self._thread.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                sweep()
            except Exception:
                # Whatever it was, the next sweep may succeed: without this thread jobs would wait.
                logger.exception("sweep failed")
                connection.close()
            self._stopped.wait(limits().sweep_seconds)
