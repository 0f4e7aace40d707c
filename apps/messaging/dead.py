"""Dead jobs: they stay, with what they were and why they died, until a person decides.

Jobs that failed alike form a group: one cause, one decision. What is tried again together is
spread in time, so that a thousand jobs do not fall at once on what has just come back to its feet.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import msgspec
from django.db import transaction
from django.db.models import Case, Count, Func, Max, Min, Value, When
from django.db.models.functions import Now, Random

from apps.messaging import bell
from apps.messaging.conf import limits
from apps.messaging.models import Job, JobQuerySet

logger = logging.getLogger(__name__)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Dead jobs of one task that failed alike."""

    fingerprint: str
    task: str
    queue: str
    culprit: str
    count: int
    first: datetime
    last: datetime
    error: str
    """What the latest of them said."""


def groups(jobs: JobQuerySet | None = None, *, most: int = 200) -> list[Group]:
    """Return the groups of dead jobs, the largest first."""
    dead = (Job.objects.all() if jobs is None else jobs).dead().order_by()
    rows = list(
        dead.values("fingerprint", "task", "queue", "culprit")
        .annotate(
            count=Count("pk"), first=Min("finished_at"), last=Max("finished_at"), latest=Max("pk")
        )
        .order_by("-count", "-latest")[:most]
    )
    latest = Job.objects.filter(pk__in=[row["latest"] for row in rows])
    errors = dict(latest.values_list("pk", "error"))
    return [
        Group(
            fingerprint=row["fingerprint"],
            task=row["task"],
            queue=row["queue"],
            culprit=row["culprit"],
            count=row["count"],
            first=row["first"],
            last=row["last"],
            error=errors.get(row["latest"], "").partition("\n")[0][:200],
        )
        for row in rows
    ]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead jobs somebody decides on: what is left empty does not matter."""

    ids: tuple[int, ...] = ()
    task: str = ""
    queue: str = ""
    group: str | None = None
    older: timedelta | None = None
    """Dead for at least so long."""

    def jobs(self) -> JobQuerySet:
        """Return the dead jobs of this choice."""
        jobs = Job.objects.dead()
        if self.ids:
            jobs = jobs.filter(pk__in=self.ids)
        if self.task:
            jobs = jobs.filter(task=self.task)
        if self.queue:
            jobs = jobs.filter(queue=self.queue)
        if self.group is not None:
            jobs = jobs.filter(fingerprint=self.group)
        if self.older is not None:
            jobs = jobs.filter(finished_at__lt=Now() - self.older)
        return jobs


@transaction.atomic
def retry(job_ids: Iterable[int], *, spread: float | None = None) -> int:
    """Make dead jobs due again, with all their tries before them; how many were dead.

    They are spread over `spread` seconds, drawn at random; by default over as many as keep to
    the limit RETRIES_PER_SECOND, and a few go at once. What is poison has one try only.
    """
    dead = Job.objects.dead().filter(pk__in=list(job_ids)).order_by("pk")
    jobs = list(dead.select_for_update())
    if spread is None:
        a_second = limits().retries_per_second
        spread = 0 if len(jobs) <= a_second else len(jobs) / a_second
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=Job.State.QUEUED,
        due_at=Now() + _up_to(spread) if spread else Now(),
        rung_at=None if spread else Now(),
        # Not before the last of them is due, or what goes late would have fewer tries.
        tried_since=Now() + timedelta(seconds=spread),
        finished_at=None,
        failures=0,
        deaths=_one_try_for_poison(),
    )
    for job in jobs:
        if not spread:
            transaction.on_commit(partial(bell.announce, job), robust=True)
        logger.info("job %d %s is tried again", job.pk, job.task)
    return len(jobs)


def _up_to(seconds: float) -> Func:
    """A random interval, another for each row."""
    return Func(Random() * Value(seconds), template="make_interval(secs => %(expressions)s)")


def _one_try_for_poison() -> Case:
    deaths = limits().deaths
    return Case(When(deaths__gte=deaths - 1, then=Value(deaths - 1)), default=Value(0))


def discard(job_ids: Iterable[int]) -> int:
    """Give dead jobs up for good; how many were dead. They are pruned in time."""
    dead = Job.objects.dead().filter(pk__in=list(job_ids))
    return dead.update(state=Job.State.DISCARDED, finished_at=Now())
