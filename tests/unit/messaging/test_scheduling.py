"""Scheduled jobs: one for each period, whoever starts it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps import messaging
from apps.messaging import Job, scheduling
from apps.messaging.jobs import Options, Task
from apps.messaging.models import Schedule

pytestmark = pytest.mark.django_db


def task(every):
    def wind_the_clock() -> None: ...

    return Task(wind_the_clock, Options(every=every))


@pytest.fixture
def hourly(monkeypatch):
    """One task that is due every hour, and that has been entered just now."""
    hourly = task(timedelta(hours=1))
    monkeypatch.setattr(scheduling, "registry", {hourly.name: hourly})
    assert scheduling.start_due() == 0
    return hourly


def pass_time(**time):
    Schedule.objects.update(last_due=F("last_due") - timedelta(**time))


def end_all():
    Job.objects.update(state="done", finished_at=Now())


def test_nothing_starts_before_its_first_period_is_over(hourly):
    pass_time(minutes=59)

    assert scheduling.start_due() == 0


def test_a_period_starts_one_job(hourly):
    pass_time(minutes=61)

    assert [scheduling.start_due() for _ in range(3)] == [1, 0, 0]
    assert Job.objects.get().task == hourly.name


def test_each_period_starts_its_own(hourly):
    for _ in range(3):
        pass_time(minutes=60)
        scheduling.start_due()
        end_all()

    assert Job.objects.count() == 3


def test_periods_that_nobody_was_there_for_are_made_up_for_once(hourly):
    pass_time(hours=25, minutes=10)

    assert [scheduling.start_due(), scheduling.start_due()] == [1, 0]
    # The next one is due in time, and not an hour after the late one.
    left = Schedule.objects.get().last_due + timedelta(hours=1) - timezone.now()
    assert timedelta(minutes=49) < left <= timedelta(minutes=50)


def test_what_still_waits_from_the_period_before_is_enough(hourly):
    pass_time(hours=1)
    scheduling.start_due()
    pass_time(hours=1)

    assert scheduling.start_due() == 0
    assert Job.objects.count() == 1


def test_a_job_that_still_runs_does_not_hold_up_the_next(hourly):
    pass_time(hours=1)
    scheduling.start_due()
    Job.objects.update(state="running", lease_until=Now())
    pass_time(hours=1)

    assert scheduling.start_due() == 1


def test_an_interval_that_was_changed_counts_from_the_last_start(hourly):
    hourly.options = task(timedelta(hours=2)).options
    pass_time(minutes=90)

    assert [scheduling.start_due(), scheduling.start_due()] == [0, 0]
    pass_time(minutes=31)
    assert scheduling.start_due() == 1


def test_who_dies_between_the_move_and_the_job_has_done_neither(hourly, monkeypatch):
    pass_time(hours=1)

    def die():
        raise KeyboardInterrupt

    with monkeypatch.context() as at_this_moment:
        at_this_moment.setattr(hourly, "delay", die)
        with pytest.raises(KeyboardInterrupt):
            scheduling.start_due()

    assert scheduling.start_due() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_one_moment_start_one_job(hourly):
    pass_time(hours=1)
    at_once = threading.Barrier(4)
    started = []

    def look():
        at_once.wait(10)
        started.append(scheduling.start_due())
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(started) == [0, 0, 0, 1]
    assert Job.objects.count() == 1


def test_a_clock_that_looked_when_another_did_comes_too_late_though_all_is_done(hourly):
    pass_time(hours=1)
    assert scheduling._start(hourly)
    end_all()

    assert not scheduling._start(hourly)

    assert Job.objects.count() == 1


def test_a_scheduled_task_takes_no_arguments():
    def wrong(*, name: str) -> None: ...

    with pytest.raises(TypeError, match="name"):
        messaging.job(every=timedelta(hours=1))(wrong)
