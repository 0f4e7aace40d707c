"""The sweeper: rings again for jobs whose bell was lost, or was never rung."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.messaging import bell
from apps.messaging.broker import BrokerAway
from apps.messaging.conf import limits
from apps.messaging.models import Job

logger = logging.getLogger(__name__)
BATCH = 500


def sweep() -> int:
    """Ring for every claimable job that nobody was told about; how many were rung for.

    1. Jobs that became due, or whose worker died, have no bell yet: each gets one.
    2. A bell was lost when more jobs are due than messages wait on the broker: the difference is
       rung for again. A queue that is merely long is left alone, or its bells would multiply.
    """
    rung = 0
    try:
        for queue in Job.objects.claimable().order_by().values_list("queue", flat=True).distinct():
            rung += _ring_unrung(queue) + _ring_lost(queue)
    except BrokerAway as error:
        logger.debug("sweep put off: %s", error)
    if rung:
        logger.info("sweep rang for %d jobs", rung)
    return rung


def _ring_unrung(queue: str) -> int:
    rung = batch = _ring(queue, Q(rung_at=None), BATCH)
    while batch == BATCH:
        batch = _ring(queue, Q(rung_at=None), BATCH)
        rung += batch
    return rung


def _ring_lost(queue: str) -> int:
    silent = Q(rung_at__lt=Now() - timedelta(seconds=limits().ring_again_seconds))
    claimable = Job.objects.claimable().filter(queue=queue)
    if not claimable.filter(silent).exists():
        return 0
    missing = claimable.count() - bell.depth(queue)
    return _ring(queue, silent, min(missing, BATCH)) if missing > 0 else 0


def _ring(queue: str, which: Q, limit: int) -> int:
    # Marked first, in a transaction of its own: no row stays locked while we talk to the broker,
    # and two sweepers share the work. Dying in between costs ring_again_seconds.
    with transaction.atomic():
        rows = Job.objects.claimable().filter(which, queue=queue).order_by("due_at")
        jobs = list(rows.select_for_update(skip_locked=True)[:limit])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(rung_at=Now())
    for done, job in enumerate(jobs):
        if not bell.ring(job):
            Job.objects.filter(pk__in=[job.pk for job in jobs[done:]]).update(rung_at=None)
            raise BrokerAway("while ringing")
    return len(jobs)
