"""What people do to a whole queue: look at it, pause it, resume it, empty it, wait for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Extract, Now

from apps.messaging import bell, sweeper
from apps.messaging.broker import BrokerAway
from apps.messaging.jobs import registry
from apps.messaging.models import Job, JobQuerySet, Queue

logger = logging.getLogger(__name__)


class State(msgspec.Struct, kw_only=True):
    """How a queue is doing now. `messages` is None while the broker is away."""

    name: str
    due: int = 0
    later: int = 0
    running: int = 0
    dead: int = 0
    oldest: float = 0.0
    """For how many seconds the oldest due job has waited."""
    messages: int | None = None
    paused_at: datetime | None = None
    paused_by: str = ""
    reason: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing runs, and nothing is due that might; what is due later may wait."""
        return not self.running and (not self.due or self.paused_at is not None)


def known() -> set[str]:
    """The names of the queues that a task, a job or a pause has."""
    return {
        *(task.options.queue for task in registry.values()),
        *_names(Job.objects.waiting()),
        *_names(Job.objects.running()),
        *_names(Job.objects.dead()),
        *Queue.objects.values_list("name", flat=True),
    }


def _names(jobs: JobQuerySet) -> Iterable[str]:
    return jobs.order_by().values_list("queue", flat=True).distinct()


def states(*, ask_broker: bool = True) -> list[State]:
    """Return the state of every known queue, by name. Asks the broker once a queue."""
    found = {name: State(name=name) for name in sorted(known())}
    for name, due, later, oldest in _waiting():
        state = found[name]
        state.due, state.later, state.oldest = due, later, oldest or 0.0
    for name, count in _counts(Job.objects.running()):
        found[name].running = count
    for name, count in _counts(Job.objects.dead()):
        found[name].dead = count
    for queue in Queue.objects.filter(paused_at__isnull=False):
        state = found[queue.name]
        state.paused_at, state.paused_by = queue.paused_at, queue.paused_by
        state.reason = queue.reason
    if ask_broker:
        _ask_broker(found.values())
    return list(found.values())


def _waiting() -> Iterable[tuple[str, int, int, float | None]]:
    due = Q(due_at__lte=Now())
    return (
        Job.objects.waiting()
        .order_by()
        .values_list("queue")
        .annotate(
            due=Count("pk", filter=due),
            later=Count("pk", filter=~due),
            age=Extract(Now() - Min("due_at", filter=due), "epoch"),
        )
    )


def _counts(jobs: JobQuerySet) -> Iterable[tuple[str, int]]:
    return jobs.order_by().values_list("queue").annotate(count=Count("pk"))


def _ask_broker(states: Iterable[State]) -> None:
    try:
        for state in states:
            state.messages = bell.depth(state.name)
    except BrokerAway as error:
        logger.debug("nobody counts the messages: %s", error)


def state(name: str) -> State:
    """Return the state of one queue."""
    found = {each.name: each for each in states(ask_broker=False)}
    return found.get(name, State(name=name))


def pause(name: str, *, by: str = "", reason: str = "") -> bool:
    """Let nothing of a queue begin, from now on and over every restart; false if it was so.

    What runs is ended. Jobs go on being accepted; their bells are answered by nobody, and are
    not rung again.
    """
    Queue.objects.get_or_create(name=name)
    paused = Queue.objects.filter(name=name, paused_at__isnull=True).update(
        paused_at=Now(), paused_by=by[:150], reason=reason[:200]
    )
    if paused:
        logger.warning("queue %s was paused by %s: %s", name, by or "somebody", reason)
    return bool(paused)


@transaction.atomic
def resume(name: str) -> bool:
    """Let a queue go on, and ring for all that waits in it; false if it was not paused."""
    paused = Queue.objects.filter(name=name, paused_at__isnull=False)
    if not paused.update(paused_at=None, paused_by="", reason=""):
        return False
    logger.info("queue %s goes on", name)
    # After the commit: a bell that is answered before it finds the queue still paused.
    transaction.on_commit(partial(_wake, name), robust=True)
    return True


def _wake(name: str) -> None:
    while sweeper.wake(name):
        """Batch by batch, until every due job has its message."""


def purge(name: str) -> int:
    """Discard every job that waits in a queue, due or later, and drop its messages; how many.

    What runs is ended; what is dead stays. The rows stay as discarded, until they are pruned.
    """
    waiting = Job.objects.waiting().filter(queue=name)
    count = waiting.update(state=Job.State.DISCARDED, finished_at=Now())
    try:
        bell.forget(name)
    except BrokerAway as error:
        # A bell without a job finds nothing to do.
        logger.debug("the messages of %s stay: %s", name, error)
    logger.warning("queue %s was purged of %d jobs", name, count)
    return count
