"""Jobs that start at intervals: exactly one for each period, whoever is alive to start it.

Every worker looks every few seconds. Who moves the row of a schedule on, which one UPDATE decides,
starts the job in the same transaction: so two never start it twice, and a crash in between starts
nothing and moves nothing. Periods that nobody was there for are made up for by one job.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from apps.messaging.jobs import Task, registry
from apps.messaging.models import Job, Schedule

logger = logging.getLogger(__name__)

# By whole intervals, however late it is: a start that was late makes no later one late.
MOVE_ON = """
UPDATE messaging_schedule
SET last_due = last_due + every * floor(
    extract(epoch FROM statement_timestamp() - last_due) / extract(epoch FROM every)
)
WHERE task = %s AND last_due + every <= statement_timestamp()
"""


def start_due() -> int:
    """Start the jobs whose period has begun; how many."""
    is_due = ExpressionWrapper(Q(last_due__lte=Now() - F("every")), output_field=BooleanField())
    rows = {row.task: row for row in Schedule.objects.annotate(is_due=is_due)}
    started = 0
    for task in list(registry.values()):
        every = task.options.every
        if every is None:
            continue
        row = rows.get(task.name)
        if row is None or row.every != every:
            _enter(task.name, every)
        elif row.is_due:
            started += _start(task)
    return started


def _enter(name: str, every: timedelta) -> None:
    """Begin to count, from now on, or change the interval of what is counted already."""
    Schedule.objects.bulk_create([Schedule(task=name, every=every)], ignore_conflicts=True)
    Schedule.objects.filter(task=name).exclude(every=every).update(every=every)


def _start(task: Task[...]) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(MOVE_ON, [task.name])
            if not cursor.rowcount:
                return False
        if Job.objects.waiting().filter(task=task.name, queue=task.options.queue).exists():
            # It will look after this period, too: a worker that was away does not do all at once.
            logger.info("%s still waits from the period before", task.name)
            return False
        task.delay()
    return True
