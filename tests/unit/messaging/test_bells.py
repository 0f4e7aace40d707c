"""Bells and jobs, in any order: no job is left without a bell, and bells do not multiply."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import redis
from django.conf import settings as project
from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.messaging import Job, Priority, bell, broker, ledger, queues, runner
from apps.messaging.sweeper import sweep, wake
from tests.support import jobs

MOVES = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(list(Priority))),
    st.tuples(
        st.sampled_from(
            ["answer", "take and die", "fail", "leases run out", "waits are over", "sweep",
             "lose a bell", "double a bell", "pause", "resume"]
        ),
        st.just(Priority.NORMAL),
    ),
)  # fmt: skip

# An urgent job whose wait is over has no bell yet: that of another must not be spent on it.
SPENT_ON_ANOTHER = [
    ("start", Priority.URGENT),
    ("fail", Priority.NORMAL),
    ("start", Priority.NORMAL),
    ("waits are over", Priority.NORMAL),
    ("answer", Priority.NORMAL),
]


@pytest.fixture
def messages():
    broker.hang_up()
    broker.breaker.reset()
    with redis.Redis.from_url(project.BROKER_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
    broker.hang_up()


class World:
    """A queue with its messages, a worker that may die, and whatever else befalls them."""

    def __init__(self, messages: redis.Redis) -> None:
        self.messages = messages
        self.started = self.doubled = self.lost = 0
        self.is_paused = False
        messages.flushdb()

    def depth(self) -> int:
        return int(self.messages.llen("default"))

    def take_bell(self, *, is_lost: bool = False) -> bool:
        is_there = bool(self.messages.rpop("default"))
        self.lost += is_there and (is_lost or self.is_paused)
        return is_there

    def claim(self) -> Job | None:
        return ledger.claim_next("default", owner="me") if self.take_bell() else None

    def move(self, name: str, priority: Priority) -> None:
        {
            "start": lambda: self.start(priority),
            "answer": self.answer,
            "take and die": self.claim,
            "fail": self.fail,
            "leases run out": lambda: Job.objects.running().update(lease_until=_ago(1)),
            "waits are over": lambda: Job.objects.waiting().update(due_at=Now()),
            "sweep": sweep,
            "lose a bell": lambda: self.take_bell(is_lost=True),
            "double a bell": self.double,
            "pause": self.pause,
            "resume": self.resume,
        }[name]()

    def start(self, priority: Priority) -> None:
        job = jobs.note.with_options(priority=priority).delay(text=f"{self.started}")
        bell.announce(job)  # as at the commit, which these tests never reach
        self.started += 1

    def answer(self) -> None:
        if self.take_bell():
            runner.answer(0, queue="default")

    def pause(self) -> None:
        queues.pause("default")
        self.is_paused = True

    def resume(self) -> None:
        if queues.resume("default"):
            wake("default")  # as at the commit
        self.is_paused = False

    def fail(self) -> None:
        if job := self.claim():
            ledger.postpone(job, ledger.Failure(error="later"), wait=60)

    def double(self) -> None:
        if message := self.messages.lindex("default", 0):
            self.messages.lpush("default", message)
            self.doubled += 1

    def settle(self) -> None:
        """Let time pass until nothing is left to do; a few rounds must be enough."""
        self.resume()
        for _ in range(4):
            Job.objects.running().update(lease_until=_ago(1))
            Job.objects.waiting().update(due_at=Now())
            Job.objects.rung().update(rung_at=_ago(60))
            sweep()
            while self.depth():
                self.answer()


def _ago(seconds: float) -> Now:
    return Now() - timedelta(seconds=seconds)  # type: ignore[return-value]


@pytest.mark.django_db
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(moves=SPENT_ON_ANOTHER)
@given(moves=st.lists(MOVES, max_size=30))
def test_whatever_happens_every_job_ends_and_no_queue_fills_with_bells(messages, trace, moves):
    with transaction.atomic():
        trace.clear()
        world = World(messages)
        for name, priority in moves:
            world.move(name, priority)
            assert world.depth() <= Job.objects.waiting().count() + world.doubled
            assert Job.objects.rung().count() <= world.depth() + world.lost, "none without a bell"

        world.settle()

        ended = Job.objects.filter(state__in=["done", "dead"]).count()
        assert (ended, world.depth()) == (world.started, 0)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_as_many_bells_as_jobs_take_them_all_whoever_is_at_them_at_once(messages):
    for number in range(120):
        jobs.note.with_options(priority=Priority(list(Priority)[number % 3])).delay(text="x")
    taken: list[int | None] = []
    at_once = threading.Barrier(4)

    def answer():
        at_once.wait(30)
        for _ in range(30):
            job = ledger.claim_next("default", owner="me")
            taken.append(job.pk if job else None)
        connection.close()

    threads = [threading.Thread(target=answer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert None not in taken
    assert len(set(taken)) == 120
