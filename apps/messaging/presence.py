"""Which workers there are: each says so in a row of its own, every few seconds.

No events and no question over the broker: those cost every job something, or a page a second.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import msgspec
from django.db.models import Case, CharField, QuerySet, Value, When
from django.db.models.functions import Now

from apps.messaging.conf import limits
from apps.messaging.models import Job, Queue, Worker

LOST_AFTER = 3  # beats


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as it presents itself."""

    name: str
    queues: list[str]
    pool: str
    concurrency: int

    def arrive(self) -> None:
        """Write the row. What an earlier process of this name and number left is replaced."""
        Worker.objects.filter(name=self.name, pid=os.getpid()).delete()
        entries = [Queue(name=queue) for queue in self.queues]
        Queue.objects.bulk_create(entries, ignore_conflicts=True)
        Worker.objects.create(
            name=self.name,
            host=socket.gethostname()[:100],
            pid=os.getpid(),
            queues=self.queues,
            pool=self.pool,
            concurrency=self.concurrency,
            release=limits().release,
            running=held_by(self.name),
        )

    def beat(self) -> None:
        """Say that it is still there, and what it does."""
        mine = Worker.objects.filter(name=self.name, pid=os.getpid())
        if not mine.update(beat_at=Now(), running=held_by(self.name)):
            self.arrive()

    def leave(self) -> None:
        """Say that it stopped because it was asked to."""
        mine = Worker.objects.filter(name=self.name, pid=os.getpid())
        mine.update(stopped_at=Now(), running=held_by(self.name))


def held_by(name: str) -> list[int]:
    """The ids of the jobs that a worker holds, in whichever of its threads and processes."""
    held = Job.objects.running().filter(owner__startswith=f"{name} ")
    return list(held.order_by("pk").values_list("pk", flat=True))


def workers() -> QuerySet[Worker]:
    """Return the workers that were seen, each with `condition`: alive, lost or stopped."""
    silence = timedelta(seconds=LOST_AFTER * limits().beat_seconds)
    condition = Case(
        When(stopped_at__isnull=False, then=Value("stopped")),
        When(beat_at__lt=Now() - silence, then=Value("lost")),
        default=Value("alive"),
        output_field=CharField(),
    )
    annotation = {"condition": condition}
    return Worker.objects.annotate(**annotation).order_by(condition.asc(), "name", "pid")


def prune() -> int:
    """Forget the workers that are long gone."""
    long_ago = Now() - timedelta(days=limits().sample_keep_days)
    return Worker.objects.filter(beat_at__lt=long_ago).delete()[0]
