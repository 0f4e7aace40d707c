"""What every worker does beside its jobs (a Celery bootstep, see project/celery.py)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from django.db import connection

from apps.messaging import broker, identity, sampling, scheduling
from apps.messaging.conf import limits
from apps.messaging.presence import Presence
from apps.messaging.sweeper import sweep

logger = logging.getLogger(__name__)

# With quorum queues Celery declares 28 more, for messages that are to be delivered later. Waits
# are rows here.
Consumer.Blueprint.default_steps = [  # type: ignore[assignment]  # a list, whatever the stubs say
    step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in str(step)
]


class Sweeper(bootsteps.StartStopStep):
    """Sweep at the start and every few seconds, in a thread of each worker's main process.

    Not a periodic task: that would wait in a queue behind the very jobs it is to wake, and there
    would be none while beat or the default worker is away. Less often the same thread says that
    the worker is there, starts what is scheduled, and counts the queues.
    """

    # After the pool, so that no child is forked with this thread half-way through something.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        # Now, so that the children of the pool inherit it.
        identity.take(str(getattr(parent, "hostname", None) or identity.name()))
        self._presence: Presence | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self, parent: Any) -> None:
        if parent is not None:
            self._presence = Presence(
                name=identity.name(),
                queues=sorted(parent.app.amqp.queues.consume_from),
                pool=parent.pool_cls.__module__.rpartition(".")[2],
                concurrency=parent.concurrency or 0,
            )
            _complain_of_queues(self._presence.queues)
        self._thread.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        beat_at = 0.0
        while not self._stopped.is_set():
            _guarded(sweep)
            if self._presence is not None and time.monotonic() >= beat_at:
                beat_at = time.monotonic() + limits().beat_seconds
                for duty in (self._presence.beat, scheduling.start_due, sampling.sample):
                    _guarded(duty)
            self._stopped.wait(limits().sweep_seconds)
        if self._presence is not None:
            _guarded(self._presence.leave)
        connection.close()


def _complain_of_queues(names: list[str]) -> None:
    """Say clearly what Celery would only fail at, again and again."""
    for name in names:
        try:
            broker.declare(name)
        except broker.BrokerAway as error:
            logger.warning("queue %s could not be declared: %s", name, error)


def _guarded(duty: Callable[[], object]) -> None:
    try:
        duty()
    except Exception:
        # Whatever it was, the next time may succeed: without this thread jobs would wait.
        logger.exception("%s failed", getattr(duty, "__qualname__", duty))
        connection.close()
