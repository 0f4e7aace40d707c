from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.messaging import Job, ledger
from apps.messaging.heartbeat import Heart
from tests.support import jobs
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_leases(settings):
    settings.MESSAGING = {**settings.MESSAGING, "LEASE_SECONDS": 0.6}


@pytest.fixture
def job():
    started = jobs.note.delay(text="hello")
    return ledger.claim(started.pk, owner="me")


def lease(job):
    return Job.objects.get(pk=job.pk).lease_until


def test_a_job_that_is_held_keeps_its_lease(job):
    with Heart().holding(job):
        wait_until(lambda: lease(job) > job.lease_until + timedelta(seconds=0.6))


def test_a_job_that_is_let_go_does_not(job):
    heart = Heart()
    with heart.holding(job):
        wait_until(lambda: lease(job) > job.lease_until)

    assert heart._held == {}
    wait_until(lambda: lease(job) < timezone.now())


def test_a_job_past_its_time_limit_is_let_go(job):
    job.time_limit = 1

    with Heart().holding(job):
        wait_until(lambda: lease(job) > job.lease_until)
        wait_until(lambda: lease(job) < timezone.now())


def test_a_beat_that_fails_is_not_the_last(job, monkeypatch, caplog):
    def fail(held):
        raise ZeroDivisionError

    with Heart().holding(job):
        monkeypatch.setattr(ledger, "extend", fail)
        wait_until(lambda: "heartbeat failed" in caplog.text)
        monkeypatch.undo()
        before = timezone.now()
        wait_until(lambda: lease(job) > before)
