"""The counts of the queues: one set an interval, whoever is first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from apps.messaging import Job, ledger, sampling, tasks
from apps.messaging.models import QueueSample
from tests.support import jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot():
    """When the interval began that is to be counted."""
    with connection.cursor() as cursor:
        cursor.execute(sampling.SLOT, {"seconds": 30})
        return cursor.fetchone()[0]


def end(slot, *, before, ran=2.0, waited=1.0, state="done"):
    """A job that ended so many seconds before the interval began."""
    ended = slot - timedelta(seconds=before)
    began = ended - timedelta(seconds=ran)
    job = jobs.note.delay(text="hello")
    Job.objects.filter(pk=job.pk).update(
        state=state, finished_at=ended, started_at=began, due_at=began - timedelta(seconds=waited)
    )


def default():
    return QueueSample.objects.get(queue="default")


def test_what_waits_is_counted(slot):
    for _ in range(2):
        jobs.note.delay(text="hello")
    ledger.claim(jobs.note.delay(text="mine").pk, owner="me")
    Job.objects.filter(state="queued").update(due_at=Now() - timedelta(seconds=90))

    sampling.sample()

    sample = default()
    assert (sample.due, sample.later, sample.running) == (2, 0, 1)
    assert 89 < sample.oldest < 100
    assert sample.seconds == 30


def test_what_ended_in_the_interval_before_is_counted_once(slot):
    end(slot, before=1)
    end(slot, before=29)
    end(slot, before=31)
    end(slot, before=-1)
    end(slot, before=5, state="dead")

    sampling.sample()

    assert (default().done, default().failed) == (2, 1)


def test_run_and_wait_of_each_task_have_their_median_and_their_tail(slot):
    for seconds in range(1, 12):
        end(slot, before=1, ran=seconds, waited=2 * seconds)

    sampling.sample()

    times = default().tasks["jobs.note"]
    assert times["count"] == 11
    assert (times["run_p50"], times["run_p95"]) == (6, 10.5)
    assert (times["wait_p50"], times["wait_p95"]) == (12, 21)


def test_a_second_worker_counts_nothing(slot):
    assert sampling.sample() > 0
    before = QueueSample.objects.count()

    assert sampling.sample() == 0
    assert QueueSample.objects.count() == before


def test_two_that_count_at_one_moment_leave_one_set(monkeypatch):
    """The second had looked before the first had written."""
    rows = sampling._count

    def count_while_another_does(slot, interval):
        QueueSample.objects.bulk_create(rows(slot, interval), ignore_conflicts=True)
        return rows(slot, interval)

    monkeypatch.setattr(sampling, "_count", count_while_another_does)

    sampling.sample()

    assert QueueSample.objects.filter(queue="default").count() == 1


def test_the_next_interval_is_counted_anew():
    sampling.sample()
    QueueSample.objects.update(taken_at=Now() - timedelta(seconds=31))

    assert sampling.sample() > 0


def test_what_was_counted_long_ago_is_deleted_by_the_housekeeping():
    sampling.sample()
    QueueSample.objects.update(taken_at=Now() - timedelta(days=3))

    tasks.prune()

    assert not QueueSample.objects.exists()


def test_what_ended_is_found_by_an_index(slot):
    Job.objects.bulk_create(Job(task="jobs.note", queue="default") for _ in range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_job")
        cursor.execute(
            f"EXPLAIN {sampling.FINISHED}", {"since": slot - timedelta(seconds=30), "until": slot}
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "messaging_job_finished" in plan


def test_the_admin_lists_the_counts(admin_client):
    sampling.sample()

    page = admin_client.get(reverse("admin:messaging_queuesample_changelist"))

    assert "default" in page.content.decode()
