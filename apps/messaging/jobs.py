"""The decorator: a function becomes a task whose launches are rows."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import timedelta
from functools import partial, update_wrapper
from typing import Generic, ParamSpec

import msgspec
from django.db import transaction
from django.db.models.functions import Now

from apps.messaging import bell, tracing
from apps.messaging.backoff import Backoff
from apps.messaging.conf import limits
from apps.messaging.models import Job
from apps.messaging.naming import name_of, refuse_positional
from apps.messaging.priority import Priority

P = ParamSpec("P")
# Escaped, and not behind a backslash that is escaped itself.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
registry: dict[str, Task[...]] = {}
running: ContextVar[Job | None] = ContextVar("running", default=None)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `job` was told about a task, in its words."""

    queue: str = "default"
    retry: Backoff = Backoff()
    time_limit: int | None = None
    on_dead: str | None = None
    priority: Priority = Priority.NORMAL
    about: str = ""
    every: timedelta | None = None


class Task(Generic[P]):
    """A function that runs as a job. Called directly it is the function; `delay` starts a job."""

    def __init__(self, function: Callable[P, None], options: Options) -> None:
        refuse_positional(function)
        if options.every is not None:
            inspect.signature(function).bind()  # nobody would give it arguments
        self.function = function
        self.name = name_of(function)
        self.options = options
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        self.function(*args, **kwargs)

    def with_options(
        self, *, priority: Priority | None = None, about: str | None = None
    ) -> Launch[P]:
        """The same task for one launch that differs: `task.with_options(priority=…).delay(…)`."""
        changes = {"priority": priority, "about": about}
        given = {name: value for name, value in changes.items() if value is not None}
        return Launch(self, msgspec.structs.replace(self.options, **given))

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Write a job in the current transaction and ring its bell at commit.

        Never waits for the broker longer than the bounded time-outs, and not at all while it is
        known to be away: the job is then found by the next sweep. Raises TypeError for arguments
        that the function does not take, that JSON cannot hold, or that are too large for a row.
        """
        return Launch(self, self.options).delay(*args, **kwargs)

    def hurry(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Make a job with these arguments, if one waits or runs, due now, as if it were new.

        False if there is none. For what a person wants to be tried again at once: a second job
        would do the same work beside the first.
        """
        inspect.signature(self.function).bind(*args, **kwargs)
        alive = [Job.State.QUEUED, Job.State.RUNNING]
        same = Job.objects.filter(task=self.name, arguments=kwargs, state__in=alive)
        # No bell: the next sweep finds it.
        return bool(same.update(due_at=Now(), tried_since=Now(), failures=0, rung_at=None))


class Launch(Generic[P]):
    """A task with the options of one launch."""

    def __init__(self, task: Task[P], options: Options) -> None:
        self.task = task
        self.options = options

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """See Task.delay."""
        task, options = self.task, self.options
        inspect.signature(task.function).bind(*args, **kwargs)
        _refuse_what_no_row_holds(task.name, kwargs)
        name = tracing.request_id()
        job = Job(
            task=task.name,
            arguments=kwargs,
            queue=options.queue,
            priority=options.priority.value,
            time_limit=options.time_limit,
            about=options.about.format_map(kwargs)[:100],
            request_id="" if name == tracing.NOBODY else name[:64],
        )
        job.save(force_insert=True)
        transaction.on_commit(partial(bell.announce, job), robust=True)
        return job


def _refuse_what_no_row_holds(name: str, arguments: Mapping[str, object]) -> None:
    try:
        text = json.dumps(arguments, allow_nan=False)
    except ValueError as error:
        raise TypeError(f"{name}: JSON cannot hold these arguments: {error}") from error
    if "\\u0000" in text and NUL.search(text):
        raise TypeError(f"{name}: PostgreSQL cannot hold a text with a NUL character")
    if len(text) > limits().argument_bytes:
        raise TypeError(
            f"{name}: {len(text)} bytes of arguments are too many for a job;"
            " put them into a row or a file, and give the job its id"
        )


def job(  # noqa: PLR0913  keywords are what makes a declaration a pleasure to read
    *,
    queue: str = "default",
    retry: Backoff | None = None,
    time_limit: int | None = None,
    on_dead: str | None = None,
    priority: Priority = Priority.NORMAL,
    about: str = "",
    every: timedelta | None = None,
) -> Callable[[Callable[P, None]], Task[P]]:
    """Make a task of a function with keyword-only arguments that JSON can hold.

    `retry` is the wait after a failure: Temporary or an exception nobody named (Permanent is never
    tried again). `time_limit` is in seconds: a try that takes longer is given up, and counted as a
    death. `on_dead`, a dotted path, is called with the Job when it is dead, in the transaction
    that writes so. `priority` says who goes first in the queue. `about`, such as
    "invoice:{invoice_id}", names what a job is for, by its arguments. A task with `every`, and
    without arguments, is started by the workers at this interval: see scheduling.py.
    """
    options = Options(
        queue=queue,
        retry=retry or Backoff(),
        time_limit=time_limit,
        on_dead=on_dead,
        priority=priority,
        about=about,
        every=every,
    )

    def decorate(function: Callable[P, None]) -> Task[P]:
        task = Task(function, options)
        if task.name in registry:
            raise TypeError(f"two tasks are called {task.name}")
        registry[task.name] = task
        return task

    return decorate


def current_job() -> Job | None:
    """The job that runs this code: its attempt, failures, arguments. None outside of a job."""
    return running.get()
