"""How the queues were doing: counted once an interval, by whichever worker is first."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from apps.messaging import queues
from apps.messaging.conf import limits
from apps.messaging.models import QueueSample

SLOT = """
SELECT to_timestamp(floor(extract(epoch FROM statement_timestamp()) / %(seconds)s) * %(seconds)s)
"""
# Waited: from when it was due to when its last try began.
FINISHED = """
SELECT queue, task,
    count(*) FILTER (WHERE state = 'done'),
    count(*) FILTER (WHERE state = 'dead'),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
        ORDER BY extract(epoch FROM finished_at - started_at)),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
        ORDER BY greatest(0, extract(epoch FROM started_at - due_at)))
FROM messaging_job
WHERE state IN ('done', 'dead') AND started_at IS NOT NULL
    AND finished_at >= %(since)s AND finished_at < %(until)s
GROUP BY queue, task
"""


def sample() -> int:
    """Count the queues, unless somebody did so in this interval; how many rows were written."""
    seconds = limits().sample_seconds
    with connection.cursor() as cursor:
        cursor.execute(SLOT, {"seconds": seconds})
        (slot,) = cursor.fetchone()
    if QueueSample.objects.filter(taken_at=slot).exists():
        return 0
    rows = _count(slot, timedelta(seconds=seconds))
    # Two that begin at one moment count twice, but what the second writes is left out.
    QueueSample.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _count(slot: datetime, interval: timedelta) -> list[QueueSample]:
    tasks, done, failed = _finished(since=slot - interval, until=slot)
    return [
        QueueSample(
            queue=state.name,
            taken_at=slot,
            seconds=interval.total_seconds(),
            due=state.due,
            later=state.later,
            running=state.running,
            messages=state.messages,
            oldest=round(state.oldest, 3),
            done=done[state.name],
            failed=failed[state.name],
            tasks=tasks[state.name],
        )
        for state in queues.states()
    ]


def _finished(
    *, since: datetime, until: datetime
) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, int], dict[str, int]]:
    tasks: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    done: dict[str, int] = defaultdict(int)
    failed: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(FINISHED, {"since": since, "until": until})
        for queue, task, well, badly, run, wait in cursor.fetchall():
            done[queue] += well
            failed[queue] += badly
            tasks[queue][task] = {
                "count": well + badly,
                "run_p50": round(run[0], 4),
                "run_p95": round(run[1], 4),
                "wait_p50": round(wait[0], 4),
                "wait_p95": round(wait[1], 4),
            }
    return tasks, done, failed


def prune() -> int:
    """Delete what was counted long ago."""
    long_ago = Now() - timedelta(days=limits().sample_keep_days)
    return QueueSample.objects.filter(taken_at__lt=long_ago).delete()[0]
