"""A worker's side of a job: claim it, run it, write how it ended."""

from __future__ import annotations

import logging
import os
import random
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from apps.messaging import ledger
from apps.messaging.backoff import Backoff
from apps.messaging.conf import limits
from apps.messaging.exceptions import Permanent, Temporary
from apps.messaging.heartbeat import heart
from apps.messaging.jobs import registry, running
from apps.messaging.models import Job

logger = logging.getLogger(__name__)


def run(job_id: int) -> None:
    """Do the job if it is due and nobody else's. However it ends, its row says so."""
    job = ledger.claim(job_id, owner=_name_of_this_worker())
    if job is None:
        logger.debug("job %d is not ours to do", job_id)
        return
    if job.deaths >= limits().deaths:
        _bury(job, f"Poison: it ended its worker {job.deaths} times in a row, without a word.")
        return
    started = time.monotonic()
    with heart.holding(job), _current(job):
        outcome = _attempt(job)
    milliseconds = (time.monotonic() - started) * 1000
    logger.info(
        "job %d %s %s attempt=%d ms=%.0f", job.pk, job.task, outcome, job.attempt, milliseconds
    )


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    why: str
    wait: float | None = None
    was_death: bool = False


def _attempt(job: Job) -> str:
    task = registry.get(job.task)
    if task is None:
        # While a release rolls out, its jobs may meet workers that do not know them yet.
        return _postpone(job, Backoff(), _Failure(why=f"No task is called {job.task} here."))
    try:
        task.function(**job.arguments)
    except Permanent as error:
        return _bury(job, str(error), tb=traceback.format_exc())
    except Temporary as error:
        return _postpone(job, task.retry, _Failure(why=str(error), wait=error.wait))
    except SoftTimeLimitExceeded:
        why = f"It took longer than {job.time_limit} s."
        return _postpone(job, task.retry, _Failure(why=why, was_death=True))
    except Exception as error:
        logger.exception("job %d %s failed", job.pk, job.task)
        return _postpone(job, task.retry, _Failure(why=str(error) or type(error).__name__))
    return "done" if ledger.finish(job) else "done, but it was no longer ours"


def _postpone(job: Job, backoff: Backoff, failure: _Failure) -> str:
    """Called while the exception is handled, if there was one: its traceback is kept."""
    tb = traceback.format_exc() if sys.exc_info()[0] else ""
    if failure.was_death and job.deaths + 1 >= limits().deaths:
        return _bury(job, f"Poison: {failure.why}", tb=tb)
    wait = failure.wait
    if wait is None:
        wait = backoff.wait(job.failures + 1, random.random())  # noqa: S311
    elapsed = (timezone.now() - job.tried_since).total_seconds()
    if elapsed + wait > backoff.total:
        return _bury(job, f"Out of tries: {failure.why}", tb=tb)
    if ledger.postpone(
        job, wait=wait, error=failure.why, traceback=tb, was_death=failure.was_death
    ):
        return f"postponed {wait:.0f} s: {failure.why}"
    return "failed, but it was no longer ours"


def _bury(job: Job, error: str, *, tb: str = "") -> str:
    with transaction.atomic():
        if not ledger.bury(job, error=error, traceback=tb):
            return "dead, but it was no longer ours"
        job.state, job.error, job.traceback = Job.State.DEAD, error, tb
        _tell(job)
    logger.error("job %d %s is dead: %s", job.pk, job.task, error)
    return "dead"


def _tell(job: Job) -> None:
    task = registry.get(job.task)
    if task is None or task.on_dead is None:
        return
    try:
        with transaction.atomic():
            import_string(task.on_dead)(job)
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


def _name_of_this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.current_thread().name}"
