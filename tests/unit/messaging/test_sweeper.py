"""The sweeper, on a real broker and without a worker: who is rung for, and who is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings as project
from django.db.models.functions import Now

from apps.messaging import Job, bell, broker, ledger
from apps.messaging.sweeper import sweep
from tests.support import jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queue():
    """The broker's `default` queue, empty."""
    broker.breaker.reset()
    with redis.Redis.from_url(project.BROKER_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
    broker.hang_up()


def depth(queue):
    return queue.llen("default")


def cut_lines(queue):
    """Cut all other lines to this database, and return how many. Others' tests have others."""
    database, own = str(queue.get_connection_kwargs()["db"]), str(queue.client_id())
    lines = [line["id"] for line in queue.client_list() if line["db"] == database]
    return sum(queue.client_kill_filter(_id=line) for line in lines if line != own)


def age(**seconds):
    Job.objects.update(
        **{name: Now() - timedelta(seconds=value) for name, value in seconds.items()}
    )


def test_a_job_rings_once_when_it_starts(queue):
    jobs.note.delay(text="hello")

    assert depth(queue) == bell.depth("default") == 1
    assert sweep() == 0


def test_a_queue_that_nobody_ever_used_has_no_depth():
    assert bell.depth("nobody") == 0


def test_a_job_that_became_due_is_rung_for_once(queue):
    job = jobs.note.delay(text="hello")
    queue.flushdb()
    claimed = ledger.claim(job.pk, owner="me")
    assert claimed is not None
    ledger.postpone(claimed, ledger.Failure(error="later"), wait=60)
    assert sweep() == 0

    age(due_at=1)

    assert (sweep(), sweep()) == (1, 0)
    assert depth(queue) == 1


def test_a_job_whose_worker_died_is_rung_for_once(queue):
    job = jobs.note.delay(text="hello")
    queue.flushdb()
    ledger.claim(job.pk, owner="killed")
    assert sweep() == 0

    age(lease_until=1)

    assert (sweep(), sweep()) == (1, 0)


def test_a_bell_that_was_lost_is_rung_again_after_a_while(queue):
    jobs.note.delay(text="hello")
    queue.flushdb()
    assert sweep() == 0

    age(rung_at=11)

    assert (sweep(), sweep()) == (1, 0)
    assert depth(queue) == 1


def test_bells_that_wait_in_a_long_queue_are_not_rung_again(queue):
    for number in range(5):
        jobs.note.delay(text=f"{number}")
    age(rung_at=3600)

    assert sweep() == 0

    queue.lpop("default", 2)
    assert (sweep(), depth(queue)) == (2, 5)


def test_a_broker_that_is_away_leaves_all_to_a_later_sweep(queue, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    broker.hang_up()
    for number in range(3):
        jobs.note.delay(text=f"{number}")
    assert not Job.objects.filter(rung_at__isnull=False).exists()
    assert sweep() == 0

    monkeypatch.delenv("CELERY_BROKER_URL")
    broker.breaker.reset()

    assert sweep() == 3
    assert depth(queue) == 3


def test_what_could_not_be_rung_is_not_marked_as_rung(queue, monkeypatch):
    for number in range(3):
        jobs.note.delay(text=f"{number}")
    Job.objects.update(rung_at=None)
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    broker.hang_up()

    assert sweep() == 0

    assert not Job.objects.filter(rung_at__isnull=False).exists()


def test_a_line_that_was_cut_is_replaced_at_once(queue):
    jobs.note.delay(text="first")
    assert cut_lines(queue)

    jobs.note.delay(text="second")

    assert depth(queue) == 2
    assert not broker.breaker.is_open


def test_more_jobs_than_fit_in_one_batch_are_all_rung_for(queue, monkeypatch):
    monkeypatch.setattr("apps.messaging.sweeper.BATCH", 4)
    Job.objects.bulk_create(Job(task="jobs.note", queue="default", rung_at=None) for _ in range(10))

    assert sweep() == 10
    assert depth(queue) == 10


def test_what_is_over_is_not_rung_for(queue):
    for state in ("done", "dead", "discarded"):
        Job.objects.create(task="jobs.note", queue="default", state=state, rung_at=None)

    assert sweep() == 0
