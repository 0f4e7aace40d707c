"""The bell: a Celery message that says "one job of this queue is due", and names one.

Which job it wakes is the worker's choice: the most urgent one. So priorities hold on every broker,
and an urgent job overtakes a thousand bells that were rung before its own.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from apps.messaging import broker
from apps.messaging.broker import Line
from apps.messaging.models import Job
from apps.messaging.plain import send

# One Celery task for all jobs: the row names its task, so a worker of an older release that meets
# a newer job puts it back instead of throwing away a message it does not know.
RUN = "messaging.run"


def ring(job: Job) -> bool:
    """Wake a worker of the job's queue. Never raises and never waits long; false if it failed."""
    return send(RUN, job.pk, queue=job.queue, headers={"request_id": job.request_id})


def announce(job: Job) -> None:
    """Ring for a job whose transaction has committed; what fails is left to the next sweep."""
    if not ring(job):
        unclaimed = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.QUEUED)
        unclaimed.update(rung_at=None)


def depth(queue: str) -> int:
    """How many messages wait in a queue of the broker. Raises BrokerAway."""

    def ask(line: Line) -> int:
        # A channel of its own: RabbitMQ closes the channel that asked for a queue it has not got.
        channel: Any = line.connection.channel()
        with closing(channel):
            try:
                answer = channel.queue_declare(queue=queue, passive=True)
            except line.connection.channel_errors:
                return 0
            return int(answer.message_count)

    return broker.attempt(ask)


def forget(queue: str) -> int:
    """Drop the messages that wait in a queue of the broker; how many. Raises BrokerAway."""

    def purge(line: Line) -> int:
        channel: Any = line.connection.channel()
        with closing(channel):
            try:
                return int(channel.queue_purge(queue=queue) or 0)
            except line.connection.channel_errors:
                return 0

    return broker.attempt(purge)
