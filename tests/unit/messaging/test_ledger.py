from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.messaging import Job, dead, ledger
from tests.support import jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    return jobs.note.delay(text="hello")


def claim(job, *, owner="me"):
    claimed = ledger.claim(job.pk, owner=owner)
    assert claimed is not None
    return claimed


def seconds_left(job):
    return (job.lease_until - timezone.now()).total_seconds()


def test_a_claim_takes_the_job_with_a_lease(job):
    claimed = claim(job)

    assert (claimed.state, claimed.owner, claimed.attempt) == ("running", "me", 1)
    assert 25 < seconds_left(claimed) <= 30


def test_the_second_to_claim_gets_nothing(job):
    assert ledger.claim(job.pk, owner="first")

    assert ledger.claim(job.pk, owner="second") is None


def test_what_is_not_due_cannot_be_claimed(job):
    Job.objects.update(due_at=Now() + timedelta(seconds=1))

    assert ledger.claim(job.pk, owner="early") is None


@pytest.mark.parametrize("state", ["done", "dead", "discarded"])
def test_what_is_over_cannot_be_claimed(job, state):
    Job.objects.update(state=state)

    assert ledger.claim(job.pk, owner="late") is None


def test_a_lease_that_ran_out_can_be_claimed_and_counts_as_a_death(job):
    ledger.claim(job.pk, owner="killed")
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))

    claimed = claim(job, owner="next")

    assert (claimed.attempt, claimed.deaths, claimed.owner) == (2, 1, "next")


def test_the_heartbeat_extends_only_what_is_still_ours(job):
    other = jobs.note.delay(text="other")
    mine, lost = claim(job), claim(other)
    Job.objects.update(lease_until=Now() + timedelta(seconds=1))
    Job.objects.filter(pk=lost.pk).update(attempt=2)

    assert ledger.extend([(mine.pk, 1), (lost.pk, 1)]) == 1

    mine.refresh_from_db()
    lost.refresh_from_db()
    assert seconds_left(mine) > 20
    assert seconds_left(lost) < 2


def test_to_hold_nothing_is_to_extend_nothing(job):
    ledger.claim(job.pk, owner="me")

    assert ledger.extend([]) == 0


def test_a_running_job_without_a_lease_cannot_be_written(job):
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(state="running", lease_until=None)


def test_dead_jobs_are_tried_again_with_all_their_tries(job):
    Job.objects.update(state="dead", failures=9, deaths=1, tried_since=Now() - timedelta(days=9))

    assert dead.retry([job.pk]) == 1

    job.refresh_from_db()
    assert (job.state, job.failures, job.deaths) == ("queued", 0, 0)
    assert (timezone.now() - job.tried_since).total_seconds() < 5


@pytest.mark.parametrize("state", ["queued", "done", "discarded"])
def test_only_dead_jobs_are_decided_on(job, state):
    Job.objects.update(state=state)

    assert dead.retry([job.pk]) == 0
    assert dead.discard([job.pk]) == 0

    job.refresh_from_db()
    assert job.state == state


def test_what_is_discarded_stays_for_a_while(job):
    Job.objects.update(state="dead")

    assert dead.discard([job.pk]) == 1

    job.refresh_from_db()
    assert job.state == "discarded"


@pytest.mark.parametrize(
    ("state", "days", "is_kept"),
    [
        ("done", 6, True),
        ("done", 8, False),
        ("discarded", 8, False),
        ("dead", 800, True),
        ("queued", 800, True),
    ],
)
def test_what_was_done_long_ago_is_pruned_and_nothing_else(job, state, days, is_kept):
    Job.objects.update(state=state, finished_at=Now() - timedelta(days=days))

    ledger.prune()

    assert Job.objects.exists() is is_kept


# --- The disk -------------------------------------------------------------------------------------
def synchronous_commit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return cursor.fetchone()[0]


@pytest.fixture
def waits_for_its_disk(transactional_db):
    """As a site's database does; that of the tests waits for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


@pytest.mark.usefixtures("waits_for_its_disk")
def test_a_claim_and_a_good_end_do_not_wait_for_the_disk_and_nothing_else_inherits_that():
    job = jobs.note.delay(text="hello")
    moves = [
        lambda: ledger.claim_next("default", owner="me"),
        lambda: ledger.finish(Job.objects.get(pk=job.pk)),
    ]
    for move in moves:
        # A transaction around it shows what its own would be committed with.
        with transaction.atomic():
            assert move()
            assert synchronous_commit() == "off"
        assert synchronous_commit() == "on"


@pytest.mark.usefixtures("waits_for_its_disk")
@pytest.mark.parametrize("move", [ledger.bury, lambda job, why: ledger.postpone(job, why, wait=1)])
def test_what_failed_is_on_the_disk_before_anybody_is_told(move):
    claimed = claim(jobs.note.delay(text="hello"))

    with transaction.atomic():
        assert move(claimed, ledger.Failure(error="no"))
        assert synchronous_commit() == "on"


def test_a_number_that_a_power_cut_gave_twice_is_still_a_fence(job):
    first = claim(job, owner="first")
    Job.objects.update(state="queued", attempt=0)  # the claim did not reach the disk
    second = claim(job, owner="second")

    assert first.attempt == second.attempt
    assert not ledger.finish(first)
    assert ledger.finish(second)
