"""Tasks that the tests start: each says what it did in `trace`."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

from django.db import connection

from apps import messaging
from tests.support.wait import wait_until

trace: list[object] = []


@messaging.job(queue="default", retry=messaging.Backoff(first=10, limit=100, total=1000, steady=1))
def note(*, text: str) -> None:
    trace.append(text)


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=10, limit=100, total=1000, steady=1),
    on_dead="tests.support.jobs.mourn",
)
def fail(*, how: str, wait: float | None = None) -> None:
    trace.append(how)
    match how:
        case "temporary":
            raise messaging.Temporary("the sea is rough", wait=wait)
        case "permanent":
            raise messaging.Permanent("the ship is sunk")
        case _:
            raise ZeroDivisionError("nobody expected this")


@messaging.job(on_dead="tests.support.jobs.fail_to_mourn")
def fail_and_be_forgotten() -> None:
    raise messaging.Permanent("gone")


@messaging.job()
def look_at_itself() -> None:
    trace.append(messaging.current_job())


def mourn(job: messaging.Job) -> None:
    trace.append((job.state, job.error, job.arguments))


def fail_to_mourn(job: messaging.Job) -> None:
    # An error of the database would spoil the transaction in which the job is written dead.
    messaging.Job.objects.create(task="x", queue="default", state="running", lease_until=None)


# --- For real workers: what they do is seen in a file ------------------------------------------
LEASES_LATER = timedelta(seconds=3)  # longer than the lease of a hurried worker


@messaging.job(queue="default")
def write_line(*, path: str, line: str) -> None:
    _append(path, line)


@messaging.job(queue="default", time_limit=60)
def wait_for_file(*, path: str, line: str, gate: str) -> None:
    """Say that it began, wait until `gate` exists, say that it ended."""
    job = messaging.current_job()
    assert job is not None
    _append(path, f"{line} began {job.attempt}")
    wait_until(Path(gate).exists, seconds=60)
    _append(path, f"{line} ended {job.attempt}")


@messaging.job(queue="default", on_dead="tests.support.jobs.write_obituary")
def die_without_a_word(*, path: str) -> None:
    _append(path, "began")
    os.kill(os.getpid(), signal.SIGKILL)


@messaging.job(queue="default", time_limit=1, on_dead="tests.support.jobs.write_obituary")
def loop_for_ever(*, path: str) -> None:
    _append(path, "began")
    wait_until(lambda: False, seconds=60)


@messaging.job(queue="default", retry=messaging.Backoff(first=0.1, limit=0.1, total=600))
def fail_until(*, path: str, times: int) -> None:
    job = messaging.current_job()
    assert job is not None
    _append(path, f"try {job.attempt}")
    if job.failures < times:
        raise messaging.Temporary(f"not before {times} failures")


@messaging.job(queue="default", retry=messaging.Backoff(first=0.1, limit=0.1, total=600))
def write_backend(*, path: str) -> None:
    """Say by which process of PostgreSQL it is served."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        _append(path, str(cursor.fetchone()[0]))


def write_obituary(job: messaging.Job) -> None:
    _append(job.arguments["path"], f"dead: {job.error}")


def _append(path: str, line: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
