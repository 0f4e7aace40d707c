"""Which job a bell wakes: the most urgent one of its queue, and never one without a bell."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps import messaging
from apps.messaging import Job, Priority, ledger, runner, sweeper
from apps.messaging.models import Queue
from tests.support import jobs

pytestmark = pytest.mark.django_db


def start(text, priority=Priority.NORMAL):
    return jobs.note.with_options(priority=priority).delay(text=text)


def ring_all():
    """Answer a bell for each row, as often as there are rows."""
    for job in Job.objects.order_by("pk"):
        runner.answer(job.pk, queue="default")


def test_a_person_who_waits_goes_before_a_bulk_import(trace):
    for number in range(3):
        start(f"import {number}", Priority.BULK)
    start("letter")
    start("preview", Priority.URGENT)

    ring_all()

    assert trace == ["preview", "letter", "import 0", "import 1", "import 2"]


def test_equals_go_in_the_order_in_which_they_became_due(trace):
    first, second = start("first"), start("second")
    Job.objects.filter(pk=second.pk).update(due_at=Now() - timedelta(seconds=9))

    runner.answer(first.pk, queue="default")

    assert trace == ["second"]


def test_a_bell_wakes_nothing_in_another_queue():
    start("hello")

    assert ledger.claim_next("images", owner="me") is None


def test_a_job_without_a_bell_is_left_to_the_sweeper(trace):
    """Else the bell of another job would be spent on it, and that job would wait for a sweep."""
    told, untold = start("told"), start("untold", Priority.URGENT)
    Job.objects.filter(pk=untold.pk).update(rung_at=None)

    runner.answer(told.pk, queue="default")

    assert trace == ["told"]


def test_a_bell_that_finds_nothing_more_urgent_does_its_own_job(trace):
    job = start("mine")
    Job.objects.update(rung_at=None)

    runner.answer(job.pk, queue="default")

    assert trace == ["mine"]


def test_a_bell_of_no_known_queue_does_its_own_job(trace):
    job = start("mine")

    runner.answer(job.pk, queue=None)

    assert trace == ["mine"]


def test_a_task_may_have_its_own_priority_and_a_launch_another():
    @messaging.job(priority=Priority.BULK)
    def reckon() -> None: ...

    assert reckon.delay().priority == Priority.BULK
    assert reckon.with_options(priority=Priority.URGENT).delay().priority == Priority.URGENT
    assert reckon.delay().priority == Priority.BULK


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_moment_take_two_jobs_and_neither_waits():
    start("one", Priority.URGENT)
    start("two")
    taken: list[Job | None] = []
    at_once = threading.Barrier(2)

    def take():
        at_once.wait(10)
        taken.append(ledger.claim_next("default", owner="me"))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(job.arguments["text"] for job in taken if job) == ["one", "two"]


def test_nothing_is_claimed_while_its_queue_is_paused(trace):
    job = start("hello")
    Queue.objects.create(name="default", paused_at=Now())

    runner.answer(job.pk, queue="default")
    runner.run(job.pk)

    assert trace == []
    assert sweeper.sweep() == 0


def test_a_person_may_run_one_job_of_a_paused_queue_before_it_is_due(trace):
    job = start("hello")
    Job.objects.update(due_at=Now() + timedelta(hours=1))
    Queue.objects.create(name="default", paused_at=Now())

    runner.run(job.pk, force=True)

    assert trace == ["hello"]


def test_what_was_left_behind_is_given_back_with_a_death_and_a_line_of_history():
    job = start("hello")
    ledger.claim(job.pk, owner="killed")
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))

    assert (ledger.release(), ledger.release()) == (1, 0)

    job.refresh_from_db()
    (entry,) = job.history
    assert (job.state, job.deaths, job.lease_until, job.rung_at) == ("queued", 1, None, None)
    assert (entry["outcome"], entry["worker"]) == ("vanished", "killed")


def test_who_comes_back_after_its_job_was_given_back_writes_nothing():
    job = start("hello")
    frozen = ledger.claim(job.pk, owner="frozen")
    assert frozen is not None
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    ledger.release()

    assert not ledger.finish(frozen)
    assert not ledger.postpone(frozen, ledger.Failure(error="x"), wait=1)
    assert not ledger.bury(frozen, ledger.Failure(error="x"))
    assert ledger.extend([(frozen.pk, frozen.attempt)]) == 0
