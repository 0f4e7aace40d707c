"""Whole queues and their workers, as an operator sees and handles them."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from apps.messaging import Job, Priority, broker, presence, queues
from apps.messaging.models import QueueSample, Schedule, Worker
from apps.messaging.sweeper import sweep
from tests.support import jobs
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
POOLS = pytest.mark.parametrize("pool", ["threads", "prefork"])


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def hasty(request, use_broker, hurried):
    """Start a hurried worker of either broker, which says ten times a second that it is there."""
    variables = {"JOB_BEAT_SECONDS": "0.1"}
    if request.param == "rabbitmq":
        variables["BROKER_URL"] = request.getfixturevalue("rabbitmq_server").url
        use_broker(variables["BROKER_URL"])

    def start(queues, **options):
        return hurried(queues, **{**variables, **options})

    return start


def lines(path):
    return path.read_text().splitlines()


def states():
    return sorted(Job.objects.values_list("state", flat=True))


def conditions():
    return sorted(worker.condition for worker in presence.workers())


def all_are_rung_for():
    """On a busy machine a broker may take longer than a bell waits: then the sweep rings."""
    broker.breaker.reset()
    sweep()
    return not Job.objects.filter(rung_at__isnull=True).exists()


@POOLS
def test_a_person_who_waits_overtakes_everything_that_was_rung_before(hasty, seen, pool):
    for number in range(30):
        jobs.write_line.with_options(priority=Priority.BULK).delay(
            path=str(seen), line=f"import {number}"
        )
    jobs.write_line.delay(path=str(seen), line="letter")
    jobs.write_line.with_options(priority=Priority.URGENT).delay(path=str(seen), line="preview")
    wait_until(all_are_rung_for)

    # A bell that is rung again holds its job for a moment, and the next one goes first.
    hasty("default", pool=pool, concurrency=1, JOB_RING_AGAIN_SECONDS="60")
    wait_until(lambda: states() == ["done"] * 32)

    assert lines(seen)[:3] == ["preview", "letter", "import 0"]
    assert len(lines(seen)) == 32


def test_a_pause_survives_the_restart_of_the_workers_and_loses_nothing(hasty, seen):
    first = hasty("default")
    queues.pause("default", reason="the disk is full")
    for number in range(10):
        jobs.write_line.delay(path=str(seen), line=f"{number}")
    # Their bells are heard, and answered by nobody.
    wait_until(lambda: queues.states()[0].messages == 0)
    first.kill()
    second = hasty("default")
    wait_until(lambda: "alive" in conditions())
    jobs.write_line.delay(path=str(seen), line="10")
    assert lines(seen) == []
    assert second.is_running()

    queues.resume("default")
    wait_until(lambda: states() == ["done"] * 11)

    assert sorted(map(int, lines(seen))) == list(range(11))


def test_to_drain_is_to_wait_until_what_runs_has_ended(hasty, seen, tmp_path):
    gate = tmp_path / "gate"
    hasty("default", concurrency=1)
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])
    with pytest.raises(SystemExit) as impatient:
        call_command("jobs", "drain", "default", "--timeout", "0.5", stdout=StringIO())

    gate.touch()
    call_command("jobs", "drain", "default", stdout=StringIO())

    assert impatient.value.code == 4
    assert states() == ["done"]


@POOLS
def test_a_worker_is_seen_with_what_it_holds(hasty, seen, tmp_path, pool):
    gate = tmp_path / "gate"
    worker = hasty("default,images", pool=pool, concurrency=2)
    job = jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))

    row = wait_until(lambda: Worker.objects.filter(running=[job.pk]).first())

    assert row is not None
    assert row.pid == worker.pid
    assert (row.queues, row.concurrency) == (["default", "images"], 2)
    assert row.pool == {"threads": "thread", "prefork": "prefork"}[pool]
    gate.touch()
    wait_until(lambda: Worker.objects.filter(running=[]).exists())


def test_a_worker_that_was_killed_is_lost_and_one_that_was_asked_has_stopped(hasty, settings):
    settings.MESSAGING = {**settings.MESSAGING, "BEAT_SECONDS": 0.5}
    killed, asked = hasty("default"), hasty("default")
    wait_until(lambda: conditions() == ["alive", "alive"])

    killed.kill()
    asked.ask_to_stop()
    asked.wait_dead(30)

    wait_until(lambda: conditions() == ["lost", "stopped"])


def test_what_is_killed_after_its_grace_gets_its_second_chance(hasty, seen, tmp_path):
    gate = tmp_path / "gate"
    worker = hasty("default", concurrency=1)
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])

    worker.ask_to_stop()
    wait_until(lambda: "Warm shutdown" in worker.log.read_text())
    worker.kill()
    gate.touch()
    hasty("default", concurrency=1)
    wait_until(lambda: states() == ["done"])

    job = Job.objects.get()
    assert lines(seen) == ["job began 1", "job began 2", "job ended 2"]
    assert [entry["outcome"] for entry in job.history] == ["vanished", "done"]


def some_more(count):
    """Wait until so many more jobs were started."""
    before = Job.objects.count()
    wait_until(lambda: Job.objects.count() >= before + count)


# The two in one transaction: the moment a job was written is not its period, which may end then.
NOTE_PERIODS = """
CREATE TABLE moved_on (period timestamptz, transaction xid8 DEFAULT pg_current_xact_id());
CREATE TABLE started (job bigint, transaction xid8 DEFAULT pg_current_xact_id());
CREATE FUNCTION note_period() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO moved_on (period) VALUES (NEW.last_due); RETURN NULL; END$$;
CREATE FUNCTION note_start() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO started (job) VALUES (NEW.id); RETURN NULL; END$$;
CREATE TRIGGER note_period AFTER UPDATE OF last_due ON messaging_schedule
    FOR EACH ROW EXECUTE FUNCTION note_period();
CREATE TRIGGER note_start AFTER INSERT ON messaging_job
    FOR EACH ROW EXECUTE FUNCTION note_start();
"""
FORGET_PERIODS = """
DROP FUNCTION note_period, note_start CASCADE;
DROP TABLE moved_on, started;
"""
PERIODS = """
SELECT period FROM started LEFT JOIN moved_on USING (transaction) ORDER BY job
"""


@pytest.fixture
def periods_of_jobs(transactional_db):
    """Return the period that each job was started for, as its own transaction says."""

    def ask():
        with connection.cursor() as cursor:
            cursor.execute(PERIODS)
            return [period for (period,) in cursor.fetchall()]

    with connection.cursor() as cursor:
        cursor.execute(NOTE_PERIODS)
    yield ask
    with connection.cursor() as cursor:
        cursor.execute(FORGET_PERIODS)


def test_three_clocks_that_are_killed_start_each_period_once(periods_of_jobs, hasty):
    options = ("--include", "tests.support.clockwork")
    workers = [hasty("default", options=options) for _ in range(3)]
    schedule = Schedule.objects.filter(task="clockwork.tick")
    wait_until(schedule.exists)
    began = schedule.get().last_due
    some_more(2)
    for worker in workers[:2]:
        worker.kill()
    some_more(2)
    workers[2].kill()
    missed = schedule.get().last_due
    wait_until(lambda: timezone.now() > missed + timedelta(seconds=4))

    hasty("default", options=options)
    some_more(3)

    periods = [(due - began) // timedelta(seconds=1) for due in periods_of_jobs()]
    assert len(periods) == len(set(periods)), periods
    assert max(later - earlier for earlier, later in pairwise(periods)) >= 3
    assert schedule.get().last_due.microsecond == began.microsecond


def test_the_queues_are_counted_once_an_interval_however_many_workers_there_are(hasty, seen):
    for _ in range(3):
        hasty("default", JOB_SAMPLE_SECONDS="1")
    jobs.write_line.delay(path=str(seen), line="hello")

    wait_until(lambda: QueueSample.objects.filter(queue="default").count() >= 3)
    wait_until(lambda: QueueSample.objects.filter(done=1, queue="default").exists())

    sample = QueueSample.objects.filter(done=1).get()
    assert sample.tasks["jobs.write_line"]["count"] == 1
    assert sample.messages == 0
    doubled = QueueSample.objects.values("queue", "taken_at").annotate(first=Min("pk"))
    assert doubled.count() == QueueSample.objects.count()
