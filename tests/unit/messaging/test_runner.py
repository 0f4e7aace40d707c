"""What a worker makes of a job, in this process: its outcome is in its row."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from billiard.exceptions import SoftTimeLimitExceeded
from celery.worker import state as worker_state
from django.db.models.functions import Now
from django.utils import timezone

from apps import messaging
from apps.messaging import Job, ledger, runner, tasks
from tests.support import jobs
from tests.support.messaging import make_due, run_jobs

pytestmark = pytest.mark.django_db


def wait_of(job):
    return (job.due_at - timezone.now()).total_seconds()


def abandon(job):
    """What a worker that was killed leaves: a claimed row whose lease has run out."""
    assert ledger.claim(job.pk, owner="killed")
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_a_job_that_returns_is_done(trace):
    jobs.note.delay(text="hello")

    (job,) = run_jobs()

    assert trace == ["hello"]
    assert (job.state, job.attempt, job.lease_until) == (Job.State.DONE, 1, None)
    assert job.finished_at is not None


def test_a_bell_that_rings_twice_does_the_job_once(trace):
    job = jobs.note.delay(text="hello")

    runner.run(job.pk)
    runner.run(job.pk)

    assert trace == ["hello"]


@pytest.mark.parametrize(("asked", "state"), [(0, "queued"), (None, "done"), (False, "done")])
def test_a_worker_that_was_asked_to_stop_begins_nothing_and_leaves_it_to_others(
    monkeypatch, trace, asked, state
):
    job = jobs.note.delay(text="hello")
    Job.objects.update(rung_at=Now())
    monkeypatch.setattr(worker_state, "should_stop", asked)

    tasks.run(job.pk)

    job.refresh_from_db()
    # As if its bell had never rung: the next sweep of another worker rings again.
    assert (job.state, job.rung_at) == (state, None)


def test_a_bell_for_a_job_that_is_no_more_is_harmless():
    runner.run(10**9)


def test_a_temporary_failure_is_due_again_after_its_backoff(trace):
    jobs.fail.delay(how="temporary")

    (job,) = run_jobs()

    assert (job.state, job.error, job.failures) == (Job.State.QUEUED, "the sea is rough", 1)
    assert "Temporary" in job.traceback
    assert 8 < wait_of(job) <= 10
    assert run_jobs() == []


def test_its_waits_grow(trace):
    jobs.fail.delay(how="temporary")
    waits = []
    for _ in range(5):
        (job,) = run_jobs()
        waits.append(round(wait_of(job)))
        make_due()

    assert waits == [10, 20, 40, 80, 100]


def test_a_failure_may_name_its_own_wait(trace):
    jobs.fail.delay(how="temporary", wait=77)

    (job,) = run_jobs()

    assert round(wait_of(job)) == 77


def test_an_exception_that_nobody_named_is_tried_again_too(trace, caplog):
    jobs.fail.delay(how="bug")

    (job,) = run_jobs()

    assert (job.state, job.error) == (Job.State.QUEUED, "nobody expected this")
    assert "ZeroDivisionError" in job.traceback
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_a_permanent_failure_is_dead_at_once_and_its_owner_is_told(trace):
    jobs.fail.delay(how="permanent")

    (job,) = run_jobs()

    assert (job.state, job.error, job.attempt) == (Job.State.DEAD, "the ship is sunk", 1)
    assert "Permanent" in job.traceback
    assert trace == ["permanent", (Job.State.DEAD, "the ship is sunk", job.arguments)]


def test_a_job_out_of_tries_is_dead(trace):
    jobs.fail.delay(how="temporary")
    Job.objects.update(tried_since=Now() - timedelta(seconds=995))

    (job,) = run_jobs()

    assert (job.state, job.error) == (Job.State.DEAD, "Out of tries: the sea is rough")


def test_a_job_stays_dead_when_telling_its_owner_fails():
    jobs.fail_and_be_forgotten.delay()

    (job,) = run_jobs()

    assert job.state == Job.State.DEAD


def test_a_job_whose_worker_was_killed_is_done_by_another(trace):
    job = jobs.note.delay(text="hello")
    abandon(job)

    run_jobs()

    job.refresh_from_db()
    assert trace == ["hello"]
    assert (job.state, job.attempt, job.deaths) == (Job.State.DONE, 2, 0)


def test_a_job_that_kills_its_worker_three_times_is_poison(trace):
    job = jobs.fail.delay(how="permanent")
    for _ in range(3):
        abandon(job)

    run_jobs()

    job.refresh_from_db()
    assert job.state == Job.State.DEAD
    assert job.error.startswith("Poison: it ended its worker 3 times")
    assert [seen for seen in trace if isinstance(seen, str)] == []
    assert trace[0][0] == Job.State.DEAD


def test_deaths_count_only_in_a_row(trace):
    job = jobs.fail.delay(how="temporary")
    for _ in range(2):
        abandon(job)
    run_jobs()
    make_due()
    for _ in range(2):
        abandon(job)

    run_jobs()

    job.refresh_from_db()
    assert (job.state, job.deaths) == (Job.State.QUEUED, 0)


@pytest.mark.parametrize(("deaths", "state"), [(0, "queued"), (1, "queued"), (2, "dead")])
def test_a_job_that_takes_too_long_counts_as_a_death(monkeypatch, deaths, state):
    def take_too_long(*, text):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(jobs.note, "function", take_too_long)
    job = jobs.note.delay(text="slow")
    Job.objects.update(deaths=deaths, time_limit=3)

    run_jobs()

    job.refresh_from_db()
    assert job.state == state
    assert "longer than 3 s" in job.error


def test_a_job_of_a_newer_release_waits_for_a_worker_that_knows_it():
    job = Job.objects.create(task="future.task", queue="default")

    run_jobs()

    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.QUEUED, "No task is called future.task here.")


def test_a_job_that_no_release_knows_is_dead_in_the_end_and_not_gone():
    job = Job.objects.create(task="past.task", queue="default", arguments={"id": 1})
    Job.objects.update(tried_since=timezone.now() - timedelta(hours=2))

    run_jobs()

    job.refresh_from_db()
    assert (job.state, job.arguments) == (Job.State.DEAD, {"id": 1})
    assert job.error == "Out of tries: No task is called past.task here."
    assert job.culprit == "Unknown task"


def test_a_worker_that_was_taken_for_dead_writes_nothing(monkeypatch):
    job = jobs.note.delay(text="hello")

    def be_overtaken(*, text):
        Job.objects.update(attempt=7, owner="another")

    monkeypatch.setattr(jobs.note, "function", be_overtaken)
    runner.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.owner) == (Job.State.RUNNING, 7, "another")


@pytest.mark.parametrize("how", [messaging.Temporary("x"), messaging.Permanent("x"), KeyError("x")])
def test_nor_does_its_failure_count(monkeypatch, how):
    job = jobs.note.delay(text="hello")

    def be_overtaken(*, text):
        Job.objects.update(attempt=7)
        raise how

    monkeypatch.setattr(jobs.note, "function", be_overtaken)
    runner.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error, job.failures) == (Job.State.RUNNING, "", 0)


def test_a_job_that_goes_well_at_once_has_no_history(trace):
    jobs.note.delay(text="hello")

    (job,) = run_jobs()

    assert job.history == []


def test_each_failure_leaves_a_line_of_history_and_so_does_the_end(trace, monkeypatch):
    jobs.fail.delay(how="temporary")
    run_jobs()
    make_due()
    monkeypatch.setattr(jobs.fail, "function", lambda **_: None)

    (job,) = run_jobs()

    assert [entry["outcome"] for entry in job.history] == ["postponed", "done"]
    first = job.history[0]
    assert first["error"] == "the sea is rough"
    assert first["seconds"] >= 0
    assert first["worker"].endswith("/MainThread")
    assert first["at"] < job.history[1]["at"]


def test_a_history_is_bounded(trace):
    job = jobs.fail.delay(how="temporary", wait=0)
    for _ in range(25):
        run_jobs(limit=1)
        make_due()

    job.refresh_from_db()
    assert (job.attempt, len(job.history)) == (25, 20)

    abandon(job)
    ledger.release()
    job.refresh_from_db()
    assert (len(job.history), job.history[-1]["outcome"]) == (20, "vanished")


def test_a_failure_names_its_kind_and_its_place(trace):
    jobs.fail.delay(how="bug")

    (job,) = run_jobs()

    assert job.culprit == "ZeroDivisionError in tests.support.jobs.fail"
    assert len(job.fingerprint) == 12


def test_what_a_hostile_file_said_does_not_keep_its_job_alive(monkeypatch):
    def complain(**_):
        raise messaging.Permanent("it said \0 and died")

    monkeypatch.setattr(jobs.note, "function", complain)
    jobs.note.delay(text="hello")

    (job,) = run_jobs()

    assert (job.state, job.error) == (Job.State.DEAD, "it said \N{REPLACEMENT CHARACTER} and died")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), (("1",), {}), ((True,), {}), ((1, 2), {}), ((1,), {"queue": "x"}), (([1],), {})],
)
def test_a_malformed_bell_is_dropped_and_said(args, kwargs, trace, caplog):
    jobs.note.delay(text="hello")

    tasks.run(*args, **kwargs)

    assert trace == []
    assert "a malformed bell was dropped" in caplog.text


def test_no_worker_s_own_clock_decides_when_tries_are_over(trace, monkeypatch):
    """A machine whose clock is a day ahead would else bury what it touches."""
    jobs.fail.delay(how="temporary")
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=True):
        (job,) = run_jobs()

    assert job.state == Job.State.QUEUED
