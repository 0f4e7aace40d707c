"""The sweeper: rings again for jobs whose bell was lost, or was never rung."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.messaging import bell, ledger
from apps.messaging.broker import BrokerAway
from apps.messaging.conf import limits
from apps.messaging.models import Job, JobQuerySet, Queue

logger = logging.getLogger(__name__)
BATCH = 500


def sweep() -> int:
    """Ring for every due job that nobody was told about; how many were rung for.

    1. Jobs whose worker died are given back.
    2. Jobs that became due have no bell yet: each gets one, the most urgent first, while there is
       room on the broker.
    3. A bell was lost when more jobs were rung for than messages wait on the broker: the
       difference is rung for again. A queue that is merely long is left alone.

    A queue that is paused is let be: nobody would answer.
    """
    if lapsed := ledger.release():
        logger.warning("%d jobs were left behind by their workers", lapsed)
    rung = 0
    try:
        for queue in _queues(Job.objects.unrung()):
            rung += _ring_unrung(queue)
        for queue in _queues(Job.objects.rung().filter(_silent())):
            rung += _ring_lost(queue, _silent())
    except BrokerAway as error:
        logger.debug("sweep put off: %s", error)
    if rung:
        logger.info("sweep rang for %d jobs", rung)
    return rung


def wake(queue: str) -> int:
    """Ring for all that is due in a queue and has no message, at once; how many were rung for."""
    try:
        return _ring_unrung(queue) + _ring_lost(queue, Q())
    except BrokerAway as error:
        logger.debug("%s is left to the next sweep: %s", queue, error)
        return 0


def _queues(jobs: JobQuerySet) -> Iterable[str]:
    paused = Queue.objects.filter(paused_at__isnull=False).values("name")
    names = jobs.exclude(queue__in=paused).order_by().values_list("queue", flat=True)
    return list(names.distinct())


def _silent() -> Q:
    return Q(rung_at__lt=Now() - timedelta(seconds=limits().ring_again_seconds))


def _ring_unrung(queue: str) -> int:
    # No queue of the broker grows without limit: the rows wait as well, and cost it nothing.
    room = limits().bells - bell.depth(queue)
    rung, batch = 0, BATCH
    while batch == BATCH and room > rung:
        batch = _ring(Job.objects.unrung().filter(queue=queue), min(BATCH, room - rung))
        rung += batch
    return rung


def _ring_lost(queue: str, silent: Q) -> int:
    rung = Job.objects.rung().filter(queue=queue)
    wanted = min(rung.count(), limits().bells)
    missing = wanted - bell.depth(queue)
    return _ring(rung.filter(silent), min(missing, BATCH)) if missing > 0 else 0


def _ring(which: JobQuerySet, limit: int) -> int:
    # Marked first, in a transaction of its own: no row stays locked while we talk to the broker,
    # and two sweepers share the work. Dying in between costs ring_again_seconds.
    with transaction.atomic():
        rows = which.order_by("priority", "due_at")
        jobs = list(rows.select_for_update(skip_locked=True)[:limit])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(rung_at=Now())
    for done, job in enumerate(jobs):
        if not bell.ring(job):
            Job.objects.filter(pk__in=[job.pk for job in jobs[done:]]).update(rung_at=None)
            raise BrokerAway("while ringing")
    return len(jobs)
