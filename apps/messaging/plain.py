"""Plain messages: a Celery task by its name, now or never. What is sent this way may be lost.

For work that somebody else does anyway if the message does not arrive: refreshing a cache,
housekeeping. What must not be lost is a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import current_app

from apps.messaging import broker
from apps.messaging.broker import Line


def is_away() -> bool:
    """Say whether the broker did not answer a moment ago: until the next try, `send` is in vain."""
    return broker.breaker.is_open


def send(
    task: str,
    *args: object,
    queue: str,
    countdown: float = 0,
    expires: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> bool:
    """Send a message that may be lost; false if the broker did not take it.

    It is on its way when this returns, whatever becomes of the transaction: in a service, hand it
    to `on_commit`. Nobody waits longer than for a bell, and a broker that is away raises nothing.
    Arguments fit into JSON. The task is begun after `countdown` seconds, and not at all once it
    has waited for `expires`.
    """

    def attempt(line: Line) -> None:
        post(
            line,
            task,
            *args,
            queue=queue,
            countdown=countdown or None,
            expires=expires,
            headers=dict(headers or {}),
        )

    try:
        broker.attempt(attempt)
    except broker.BrokerAway:
        return False
    return True


def post(line: Line, task: str, *args: object, queue: str, **options: Any) -> None:
    """Put a message on the line once, as all that may be lost is sent. Raises what the line does.

    `options` are those of Celery's `send_task`.
    """
    current_app.send_task(
        task,
        args=args,
        queue=broker.queue_named(queue, line.connection),  # type: ignore[arg-type]
        producer=line.producer,
        retry=False,
        ignore_result=True,
        delivery_mode="transient",
        **options,
    )
