"""The decorator: a function becomes a task whose launches are rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, update_wrapper
from typing import Generic, ParamSpec

from django.db import transaction
from django.db.models.functions import Now

from apps.messaging import bell
from apps.messaging.backoff import Backoff
from apps.messaging.models import Job

P = ParamSpec("P")
registry: dict[str, Task[...]] = {}
running: ContextVar[Job | None] = ContextVar("running", default=None)


class Task(Generic[P]):
    """A function that runs as a job. Called directly it is the function; `delay` starts a job."""

    def __init__(
        self,
        function: Callable[P, None],
        *,
        queue: str,
        retry: Backoff,
        time_limit: int | None,
        on_dead: str | None,
    ) -> None:
        _refuse_positional(function)
        self.function = function
        self.name = name_of(function)
        self.queue = queue
        self.retry = retry
        self.time_limit = time_limit
        self.on_dead = on_dead
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        self.function(*args, **kwargs)

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Write a job in the current transaction and ring its bell at commit.

        Never waits for the broker longer than the bounded time-outs, and not at all while it is
        known to be away: the job is then found by the next sweep. Raises TypeError for arguments
        that the function does not take or JSON cannot hold.
        """
        inspect.signature(self.function).bind(*args, **kwargs)
        job = Job(task=self.name, arguments=kwargs, queue=self.queue, time_limit=self.time_limit)
        job.save(force_insert=True)
        transaction.on_commit(partial(bell.announce, job), robust=True)
        return job

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


def name_of(function: Callable[..., None]) -> str:
    """`apps.mail.tasks.deliver_letter` is called `mail.deliver_letter` in rows and logs."""
    app = function.__module__.removesuffix(".tasks").rpartition(".")[2]
    return f"{app}.{function.__qualname__}"


def _refuse_positional(function: Callable[..., None]) -> None:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{function.__qualname__}: a job takes keyword-only arguments")


def job(
    *,
    queue: str = "default",
    retry: Backoff | None = None,
    time_limit: int | None = None,
    on_dead: str | None = None,
) -> Callable[[Callable[P, None]], Task[P]]:
    """Make a task of a function with keyword-only arguments that JSON can hold.

    `retry` is the wait after a failure: Temporary or an exception nobody named (Permanent is never
    tried again). `time_limit` is in seconds: a try that takes longer is given up, and counted as a
    death. `on_dead`, a dotted path, is called with the Job when it is dead, in the transaction
    that writes so.
    """

    def decorate(function: Callable[P, None]) -> Task[P]:
        task = Task(
            function,
            queue=queue,
            retry=retry or Backoff(),
            time_limit=time_limit,
            on_dead=on_dead,
        )
        if task.name in registry:
            raise TypeError(f"two tasks are called {task.name}")
        registry[task.name] = task
        return task

    return decorate


def current_job() -> Job | None:
    """The job that runs this code: its attempt, failures, arguments. None outside of a job."""
    return running.get()
