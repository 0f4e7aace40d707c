"""A worker's side of a job: claim it, run it, write how it ended."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils.module_loading import import_string

from apps.messaging import identity, ledger, tracing
from apps.messaging.backoff import Backoff
from apps.messaging.conf import limits
from apps.messaging.culprits import Culprit, culprit_of
from apps.messaging.exceptions import Permanent, Temporary
from apps.messaging.heartbeat import heart
from apps.messaging.jobs import registry, running
from apps.messaging.models import Job
from apps.messaging.timelimit import limited

logger = logging.getLogger(__name__)


def answer(job_id: int, *, queue: str | None) -> None:
    """What a worker does when a bell rings: the most urgent job of the queue, else that one."""
    job = ledger.claim_next(queue, owner=name_of_this_thread()) if queue else None
    if job is None:
        run(job_id)
    else:
        work_on(job)


def run(job_id: int, *, force: bool = False) -> Job | None:
    """Do this job if it is due and nobody else's. However it ends, its row says so.

    With `force`, also before it is due and while its queue is paused. None if it was not ours.
    """
    job = ledger.claim(job_id, owner=name_of_this_thread(), force=force)
    if job is None:
        logger.debug("job %d is not ours to do", job_id)
    else:
        work_on(job)
    return job


def work_on(job: Job) -> None:
    """Do a job that was claimed, under the name of the request that started it."""
    with tracing.named(job.request_id or f"job-{job.pk}"):
        if job.deaths >= limits().deaths:
            why = f"Poison: it ended its worker {job.deaths} times in a row, without a word."
            _bury(job, _poison(job, why))
            return
        started = time.monotonic()
        with heart.holding(job), _current(job):
            outcome = _attempt(job)
        milliseconds = (time.monotonic() - started) * 1000
        logger.info(
            "job %d %s %s attempt=%d ms=%.0f", job.pk, job.task, outcome, job.attempt, milliseconds
        )


def _attempt(job: Job) -> str:
    task = registry.get(job.task)
    if task is None:
        # While a release rolls out, its jobs may meet workers that do not know them yet.
        why = f"No task is called {job.task} here."
        return _postpone(job, Backoff(), _failure(job, why, Culprit("Unknown task", "")))
    started = time.monotonic()
    try:
        with limited(job.time_limit):
            task.function(**job.arguments)
    except Permanent as error:
        return _bury(job, _raised(job, error), seconds=time.monotonic() - started)
    except SoftTimeLimitExceeded as error:
        why = f"It took longer than {job.time_limit} s."
        failure, wait = _raised(job, error, why=why, was_death=True), None
    except Temporary as error:
        failure, wait = _raised(job, error), error.wait
    except Exception as error:
        logger.exception("job %d %s failed", job.pk, job.task)
        failure, wait = _raised(job, error), None
    else:
        is_ours = ledger.finish(job, seconds=time.monotonic() - started)
        return "done" if is_ours else "done, but it was no longer ours"
    seconds = time.monotonic() - started
    return _postpone(job, task.options.retry, failure, wait=wait, seconds=seconds)


def _raised(
    job: Job, error: Exception, *, why: str = "", was_death: bool = False
) -> ledger.Failure:
    return _failure(
        job,
        why or str(error) or type(error).__name__,
        culprit_of(error),
        traceback=traceback.format_exc(),
        was_death=was_death,
    )


def _poison(job: Job, why: str) -> ledger.Failure:
    return _failure(job, why, Culprit("Poison", ""))


def _failure(
    job: Job, why: str, culprit: Culprit, *, traceback: str = "", was_death: bool = False
) -> ledger.Failure:
    return ledger.Failure(
        # PostgreSQL holds no NUL, and what a hostile file said must not keep its job alive.
        error=why.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        traceback=traceback.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        fingerprint=culprit.fingerprint(job.task),
        culprit=culprit.words,
        was_death=was_death,
    )


def _postpone(
    job: Job,
    backoff: Backoff,
    failure: ledger.Failure,
    *,
    wait: float | None = None,
    seconds: float = 0,
) -> str:
    if failure.was_death and job.deaths + 1 >= limits().deaths:
        return _bury(job, _reworded(failure, "Poison"), seconds=seconds)
    if wait is None:
        wait = backoff.wait(job.failures + 1, random.random())  # noqa: S311
    if _elapsed(job) + seconds + wait > backoff.total:
        return _bury(job, _reworded(failure, "Out of tries"), seconds=seconds)
    if ledger.postpone(job, failure, wait=wait, seconds=seconds):
        return f"postponed {wait:.0f} s: {failure.error}"
    return "failed, but it was no longer ours"


def _elapsed(job: Job) -> float:
    """How long the job had been tried when this attempt began, by the database's clock."""
    return (job.started_at - job.tried_since).total_seconds() if job.started_at else 0.0


def _reworded(failure: ledger.Failure, verdict: str) -> ledger.Failure:
    return msgspec.structs.replace(failure, error=f"{verdict}: {failure.error}")


def _bury(job: Job, failure: ledger.Failure, *, seconds: float = 0) -> str:
    with transaction.atomic():
        if not ledger.bury(job, failure, seconds=seconds):
            return "dead, but it was no longer ours"
        job.state, job.error, job.traceback = Job.State.DEAD, failure.error, failure.traceback
        _tell(job)
    logger.error("job %d %s is dead: %s", job.pk, job.task, failure.error)
    return "dead"


def _tell(job: Job) -> None:
    task = registry.get(job.task)
    if task is None or task.options.on_dead is None:
        return
    try:
        with transaction.atomic():
            import_string(task.options.on_dead)(job)
    except Exception:
        # The job is dead all the same: an error here must not bring it back to die again.
        logger.exception("job %d %s: on_dead failed", job.pk, job.task)


@contextmanager
def _current(job: Job) -> Iterator[None]:
    token = running.set(job)
    try:
        yield
    finally:
        running.reset(token)


def name_of_this_thread() -> str:
    """Name the worker, and what in it does the job: `mail@host 17/ThreadPoolExecutor-0_3`."""
    return f"{identity.name()} {os.getpid()}/{threading.current_thread().name}"
