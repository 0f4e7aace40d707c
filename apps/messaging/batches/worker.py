"""The worker of the queue `events` folds: a bootstep for the site's Celery app.

app.steps["worker"].add("apps.messaging.batches.worker:Folding")
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from apps.messaging.batches.consumer import Consumer

QUEUE = "events"


class Folding(bootsteps.StartStopStep):
    """Fold in a thread of the worker's main process, beside whatever else it serves.

    Not as a Celery task: one message would be one call, acknowledged for itself.
    """

    # After the pool, so that no child is forked with this thread half-way through something.
    requires = ("celery.worker.components:Pool",)

    def include_if(self, parent: Any) -> bool:
        """Whether the worker serves the queue."""
        return QUEUE in parent.app.amqp.queues.consume_from

    def create(self, parent: Any) -> Any:
        # Celery itself would find messages there that are no tasks, and throw them away.
        parent.app.amqp.queues.deselect([QUEUE])
        return Consumer()
