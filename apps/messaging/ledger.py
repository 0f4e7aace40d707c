"""The moves of a job's row. Each is one conditional UPDATE, so the first to make it wins.

queued ──claim──▶ running ──finish──▶ done
   ▲                 ├────postpone──▶ queued, due later
   │                 ├────bury──────▶ dead ──discard──▶ discarded
   └──── retry ──────│──────────────────┘
                     └─ lease runs out ──claim──▶ running, one death more

All times are the database's: workers on several machines then share one clock. What a worker
writes holds only while the attempt number is still its own, so that one which was taken for dead,
and comes back, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from apps.messaging.conf import limits
from apps.messaging.models import Job

# One statement rather than SELECT FOR UPDATE and UPDATE: this is the whole price of a claim.
CLAIM = """
UPDATE messaging_job
SET deaths = deaths + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
    state = 'running', attempt = attempt + 1, owner = %s, rung_at = NULL,
    started_at = statement_timestamp(), lease_until = statement_timestamp() + %s
WHERE id = %s AND (
    (state = 'queued' AND due_at <= statement_timestamp())
    OR (state = 'running' AND lease_until < statement_timestamp())
)
RETURNING *
"""


def claim(job_id: int, *, owner: str) -> Job | None:
    """Take a due job; None if it is not due, or another worker was first."""
    lease = timedelta(seconds=limits().lease_seconds)
    return next(iter(Job.objects.raw(CLAIM, [owner, lease, job_id])), None)


def extend(held: Iterable[tuple[int, int]]) -> int:
    """Renew the leases of (id, attempt) pairs; how many were still ours."""
    ours = Q(pk__in=[])
    for job_id, attempt in held:
        ours |= Q(pk=job_id, attempt=attempt)
    lease = timedelta(seconds=limits().lease_seconds)
    return Job.objects.filter(ours, state=Job.State.RUNNING).update(lease_until=Now() + lease)


def _ours(job: Job) -> Q:
    return Q(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)


def finish(job: Job) -> bool:
    """Write that the job is done; false if it is no longer ours."""
    changed = Job.objects.filter(_ours(job)).update(
        state=Job.State.DONE, finished_at=Now(), lease_until=None, deaths=0
    )
    return changed == 1


def postpone(job: Job, *, wait: float, error: str, traceback: str, was_death: bool = False) -> bool:
    """Write that this try failed and when the next is due; false if the job is not ours."""
    changed = Job.objects.filter(_ours(job)).update(
        state=Job.State.QUEUED,
        due_at=Now() + timedelta(seconds=wait),
        lease_until=None,
        failures=F("failures") + 1,
        deaths=F("deaths") + 1 if was_death else 0,
        error=error,
        traceback=traceback,
    )
    return changed == 1


def bury(job: Job, *, error: str, traceback: str) -> bool:
    """Write that the job is dead; false if it is no longer ours."""
    changed = Job.objects.filter(_ours(job)).update(
        state=Job.State.DEAD,
        finished_at=Now(),
        lease_until=None,
        failures=F("failures") + 1,
        error=error,
        traceback=traceback,
    )
    return changed == 1


def prune() -> int:
    """Delete what was done or discarded long ago. Dead jobs stay until somebody decides."""
    old = Job.objects.filter(
        state__in=[Job.State.DONE, Job.State.DISCARDED],
        finished_at__lt=Now() - timedelta(days=limits().keep_days),
    )
    return old.delete()[0]
