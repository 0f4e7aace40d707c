"""Real workers, killed and frozen at the worst moments: no job is lost."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
from django.db import connection, transaction

from apps.messaging import Job, bell
from tests.support import jobs
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
POOLS = pytest.mark.parametrize("pool", ["threads", "prefork"])


def lines(path):
    return path.read_text().splitlines()


def states():
    return sorted(Job.objects.values_list("state", flat=True))


def lease():
    return Job.objects.get().lease_until


@POOLS
def test_jobs_are_done_when_their_transaction_commits(hurried, seen, pool):
    hurried("default", pool=pool)

    with transaction.atomic():
        for number in range(20):
            jobs.write_line.delay(path=str(seen), line=f"{number}")
        assert lines(seen) == []
    wait_until(lambda: states() == ["done"] * 20)

    assert sorted(map(int, lines(seen))) == list(range(20))


@POOLS
def test_a_job_whose_worker_is_killed_is_done_by_another(hurried, seen, tmp_path, pool):
    gate = tmp_path / "gate"
    first = hurried("default", pool=pool)
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])

    first.kill()
    gate.touch()
    hurried("default", pool=pool)
    wait_until(lambda: states() == ["done"])

    assert lines(seen) == ["job began 1", "job began 2", "job ended 2"]


def test_a_long_job_keeps_its_lease_and_is_done_once(hurried, seen, tmp_path):
    gate = tmp_path / "gate"
    hurried("default")
    hurried("default")
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])
    first_lease = lease()

    wait_until(lambda: lease() > first_lease + jobs.LEASES_LATER)
    gate.touch()
    wait_until(lambda: states() == ["done"])

    assert lines(seen) == ["job began 1", "job ended 1"]


def test_a_worker_that_was_frozen_cannot_overwrite_what_another_did(hurried, seen, tmp_path):
    gate = tmp_path / "gate"
    frozen = hurried("default")
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])

    frozen.freeze()
    gate.touch()
    hurried("default")
    wait_until(lambda: states() == ["done"])
    done = Job.objects.get()
    frozen.thaw()
    wait_until(lambda: "no longer ours" in frozen.log.read_text())

    job = Job.objects.get()
    assert (job.attempt, job.owner, job.finished_at) == (2, done.owner, done.finished_at)


def test_a_job_that_kills_its_worker_ends_as_poison_while_others_flow(hurried, seen):
    hurried("default", pool="prefork")
    jobs.die_without_a_word.delay(path=str(seen))
    jobs.write_line.delay(path=str(seen), line="another")

    wait_until(lambda: states() == ["dead", "done"], seconds=30)

    written = lines(seen)
    assert written.count("began") == 3
    assert "another" in written
    assert written[-1].startswith("dead: Poison")


def test_a_job_that_loops_for_ever_is_stopped(hurried, seen):
    hurried("default", pool="prefork")
    jobs.loop_for_ever.delay(path=str(seen))
    wait_until(lambda: Job.objects.get().failures == 1, seconds=30)

    job = Job.objects.get()
    assert (job.state, job.deaths) == ("queued", 1)
    assert "longer than 1 s" in job.error


def test_a_thread_that_hangs_loses_its_lease_at_its_time_limit(hurried, seen):
    hurried("default", pool="threads")
    jobs.loop_for_ever.delay(path=str(seen))

    wait_until(lambda: Job.objects.get().attempt == 2, seconds=30)

    assert lines(seen) == ["began", "began"]


def test_a_failure_for_now_is_tried_again_without_a_broker_s_timer(hurried, seen):
    hurried("default")
    jobs.fail_until.delay(path=str(seen), times=3)

    wait_until(lambda: states() == ["done"])

    assert lines(seen) == ["try 1", "try 2", "try 3", "try 4"]


@POOLS
def test_a_worker_that_is_asked_to_stop_ends_what_it_has_and_takes_no_more(
    hurried, seen, tmp_path, pool
):
    gate = tmp_path / "gate"
    worker = hurried("default", pool=pool, concurrency=1)
    jobs.wait_for_file.delay(path=str(seen), line="first", gate=str(gate))
    wait_until(lambda: lines(seen) == ["first began 1"])
    jobs.write_line.delay(path=str(seen), line="second")
    # The worker has it in hand: what a pool has taken already it would begin, too.
    wait_until(lambda: bell.depth("default") == 0)

    worker.ask_to_stop()
    wait_until(lambda: "Warm shutdown" in worker.log.read_text())
    gate.touch()
    worker.wait_dead(20)

    assert lines(seen) == ["first began 1", "first ended 1"]
    assert states() == ["done", "queued"]


def test_two_workers_that_hear_one_bell_twice_do_the_job_once(hurried, seen):
    hurried("default")
    hurried("default")
    started = [jobs.write_line.delay(path=str(seen), line=f"{n}") for n in range(10)]
    for job in started * 3:
        bell.ring(job)
    wait_until(lambda: states() == ["done"] * 10)

    assert sorted(map(int, lines(seen))) == list(range(10))


def test_a_child_that_is_killed_alone_costs_its_job_an_attempt_and_no_more(hurried, seen, tmp_path):
    gate = tmp_path / "gate"
    worker = hurried("default", pool="prefork", concurrency=1)
    jobs.wait_for_file.delay(path=str(seen), line="job", gate=str(gate))
    wait_until(lambda: lines(seen) == ["job began 1"])

    for child in psutil.Process(worker.pid).children():
        os.kill(child.pid, signal.SIGKILL)
    gate.touch()
    wait_until(lambda: states() == ["done"], seconds=30)

    assert lines(seen) == ["job began 1", "job began 2", "job ended 2"]


@POOLS
def test_a_worker_keeps_its_connection_to_the_database_until_it_breaks(hurried, seen, pool):
    hurried("default", pool=pool, concurrency=1)

    def run(count):
        for _ in range(count):
            jobs.write_backend.delay(path=str(seen))
        wait_until(lambda: not Job.objects.exclude(state=Job.State.DONE).exists())
        return lines(seen)

    (backend,) = set(run(5))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [int(backend)])

    *_, another = run(1)
    assert another != backend
    assert Job.objects.filter(failures__gt=0).count() == 0
