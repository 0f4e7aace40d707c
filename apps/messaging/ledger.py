"""The moves of a job's row. Each is one conditional UPDATE, so the first to make it wins.

queued ──claim──▶ running ──finish──▶ done
   ▲                 ├────postpone──▶ queued, due later
   │                 ├────bury──────▶ dead ──discard──▶ discarded
   ├──── retry ──────│──────────────────┘
   └──── release ────┴─ lease runs out: one death more

A claim and a good end do not wait for the disk of the database (`synchronous_commit=off`): should
its machine lose power in that fraction of a second, the job is queued or running again, and done
once more. What the task itself committed after the claim has brought the claim to the disk, too.

All times are the database's: workers on several machines then share one clock. What a worker
writes holds only while the attempt number is still its own, so that one which was taken for dead,
and comes back, changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.messaging.conf import limits
from apps.messaging.models import Job

HISTORY = 20

# What an attempt that ended without a word leaves in the history: who had it, and until when.
_VANISHED = """
    history = CASE WHEN state <> 'running' THEN history ELSE (
        CASE WHEN jsonb_array_length(history) >= 20 THEN history - 0 ELSE history END
        || jsonb_build_object('at', started_at, 'worker', owner, 'outcome', 'vanished',
            'error', '', 'seconds', round(extract(epoch FROM lease_until - started_at)::numeric, 1))
    ) END,
    deaths = deaths + CASE WHEN state = 'running' THEN 1 ELSE 0 END
"""
# True, for this statement's own transaction, and asked once: no round trip more.
_UNHURRIED = "(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"
_TAKE = """
    state = 'running', attempt = attempt + 1, owner = %(owner)s, rung_at = NULL,
    started_at = statement_timestamp(), lease_until = statement_timestamp() + %(lease)s
"""
# One statement, and the first entry of one index: this is the whole price of a claim. Only jobs
# that were rung for are taken: then each bell answers for one job, and none is without a bell.
CLAIM_NEXT = f"""
UPDATE messaging_job SET {_TAKE}
WHERE id = (
    SELECT id FROM messaging_job
    WHERE queue = %(queue)s AND state = 'queued' AND rung_at IS NOT NULL
        AND due_at <= statement_timestamp()
        AND NOT EXISTS (
            SELECT FROM messaging_queue WHERE name = %(queue)s AND paused_at IS NOT NULL
        )
    ORDER BY priority, due_at LIMIT 1
    FOR UPDATE SKIP LOCKED
) AND {_UNHURRIED}
RETURNING *
"""  # noqa: S608
CLAIM = f"""
UPDATE messaging_job SET {_VANISHED}, {_TAKE}
WHERE id = %(job)s AND {_UNHURRIED} AND (
    (state = 'queued' AND (due_at <= statement_timestamp() OR %(force)s))
    OR (state = 'running' AND lease_until < statement_timestamp())
) AND (%(force)s OR NOT EXISTS (
    SELECT FROM messaging_queue WHERE name = messaging_job.queue AND paused_at IS NOT NULL
))
RETURNING *
"""  # noqa: S608
FINISH = f"""
UPDATE messaging_job
SET state = 'done', finished_at = statement_timestamp(), lease_until = NULL, deaths = 0,
    history = %(history)s
WHERE id = %(job)s AND attempt = %(attempt)s AND owner = %(owner)s AND state = 'running'
    AND {_UNHURRIED}
"""  # noqa: S608
RELEASE = f"""
UPDATE messaging_job
SET {_VANISHED}, state = 'queued', due_at = statement_timestamp(), rung_at = NULL,
    lease_until = NULL
WHERE id IN (
    SELECT id FROM messaging_job
    WHERE state = 'running' AND lease_until < statement_timestamp()
    FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt failed."""

    error: str
    traceback: str = ""
    fingerprint: str = ""
    culprit: str = ""
    was_death: bool = False


def claim_next(queue: str, *, owner: str) -> Job | None:
    """Take the most urgent job of a queue that was rung for, the oldest of its equals."""
    return _claim(CLAIM_NEXT, owner=owner, queue=queue)


def claim(job_id: int, *, owner: str, force: bool = False) -> Job | None:
    """Take this job; None if it is not due, its queue is paused, or another worker was first.

    With `force`, also before it is due and while its queue is paused.
    """
    return _claim(CLAIM, owner=owner, job=job_id, force=force)


def _claim(statement: str, **parameters: object) -> Job | None:
    lease = timedelta(seconds=limits().lease_seconds)
    return next(iter(Job.objects.raw(statement, {"lease": lease, **parameters})), None)


def release() -> int:
    """Give back the jobs whose lease ran out, each with one death more; how many."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE)
        return int(cursor.rowcount)


def extend(held: Iterable[tuple[int, int]]) -> int:
    """Renew the leases of (id, attempt) pairs; how many were still ours."""
    ours = Q(pk__in=[])
    for job_id, attempt in held:
        ours |= Q(pk=job_id, attempt=attempt)
    lease = timedelta(seconds=limits().lease_seconds)
    return Job.objects.filter(ours, state=Job.State.RUNNING).update(lease_until=Now() + lease)


def _ours(job: Job) -> Q:
    # The owner, too: a claim that a power cut took back leaves its number to the next.
    return Q(pk=job.pk, attempt=job.attempt, owner=job.owner, state=Job.State.RUNNING)


def finish(job: Job, *, seconds: float = 0) -> bool:
    """Write that the job is done; false if it is no longer ours."""
    # What went well at the first try has its whole history in the row itself.
    history = _history(job, "done", "", seconds) if job.history else []
    with connection.cursor() as cursor:
        cursor.execute(
            FINISH,
            {
                "job": job.pk,
                "attempt": job.attempt,
                "owner": job.owner,
                "history": json.dumps(history),
            },
        )
        return int(cursor.rowcount) == 1


def postpone(job: Job, failure: Failure, *, wait: float, seconds: float = 0) -> bool:
    """Write that this try failed and when the next is due; false if the job is not ours."""
    changed = Job.objects.filter(_ours(job)).update(
        state=Job.State.QUEUED,
        due_at=Now() + timedelta(seconds=wait),
        deaths=F("deaths") + 1 if failure.was_death else 0,
        **_failed(job, "postponed", failure, seconds),
    )
    return changed == 1


def bury(job: Job, failure: Failure, *, seconds: float = 0) -> bool:
    """Write that the job is dead; false if it is no longer ours."""
    changed = Job.objects.filter(_ours(job)).update(
        state=Job.State.DEAD, finished_at=Now(), **_failed(job, "dead", failure, seconds)
    )
    return changed == 1


def _failed(job: Job, outcome: str, failure: Failure, seconds: float) -> dict[str, Any]:
    return {
        "lease_until": None,
        "failures": F("failures") + 1,
        "error": failure.error,
        "traceback": failure.traceback,
        "fingerprint": failure.fingerprint,
        "culprit": failure.culprit,
        "history": _history(job, outcome, failure.error, seconds),
    }


def _history(job: Job, outcome: str, error: str, seconds: float) -> list[dict[str, object]]:
    """The history with one attempt more, the oldest forgotten. Nobody else writes it meanwhile."""
    entry = {
        "at": (job.started_at or timezone.now()).isoformat(),
        "worker": job.owner,
        "outcome": outcome,
        "error": error.partition("\n")[0][:200],
        "seconds": round(seconds, 3),
    }
    return [*job.history, entry][-HISTORY:]


def prune() -> int:
    """Delete what was done or discarded long ago. Dead jobs stay until somebody decides."""
    old = Job.objects.filter(
        state__in=[Job.State.DONE, Job.State.DISCARDED],
        finished_at__lt=Now() - timedelta(days=limits().keep_days),
    )
    return old.delete()[0]
