"""Dead jobs: they stay, with what they were and why they died, until a person decides."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from apps.messaging import bell
from apps.messaging.models import Job

logger = logging.getLogger(__name__)


@transaction.atomic
def retry(job_ids: Iterable[int]) -> int:
    """Make dead jobs due now, with all their tries before them; how many were dead."""
    dead = Job.objects.dead().filter(pk__in=list(job_ids)).order_by("pk")
    jobs = list(dead.select_for_update())
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=Job.State.QUEUED,
        due_at=Now(),
        rung_at=Now(),
        tried_since=Now(),
        finished_at=None,
        failures=0,
        deaths=0,
    )
    for job in jobs:
        transaction.on_commit(partial(bell.announce, job), robust=True)
        logger.info("job %d %s is tried again", job.pk, job.task)
    return len(jobs)


def discard(job_ids: Iterable[int]) -> int:
    """Give dead jobs up for good; how many were dead. They are pruned in time."""
    dead = Job.objects.dead().filter(pk__in=list(job_ids))
    return dead.update(state=Job.State.DISCARDED, finished_at=Now())
