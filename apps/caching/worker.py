"""What a Celery worker does for the cache beside its jobs: a bootstep for the site's Celery app.

app.steps["worker"].add("apps.caching.worker:Sweeper")
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import bootsteps
from django.db import connections

from apps.caching.engine import engine
from apps.caching.sweeping import sweep

logger = logging.getLogger(__name__)


class Sweeper(bootsteps.StartStopStep):
    """Sweep at the start and every `SWEEP_SECONDS`, in a thread of the worker's main process."""

    # After the pool, so that no child is forked with this thread half-way through something.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cache-sweeper", daemon=True)

    def include_if(self, parent: Any) -> bool:  # noqa: ARG002
        """Say no where nothing is written down."""
        return engine().options.durable

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
                # Whatever it was, the next sweep may succeed: without this thread rows would stay.
                logger.exception("sweep failed")
                connections.close_all()
            self._stopped.wait(engine().options.sweep_seconds)
        connections.close_all()
