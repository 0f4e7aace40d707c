"""Queues as a whole: counted, paused and resumed, emptied."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings as project
from django.db.models.functions import Now
from django.urls import reverse

from apps.messaging import Job, broker, ledger, queues, runner
from apps.messaging.models import Queue
from apps.messaging.sweeper import sweep
from tests.support import jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def messages():
    """The broker's `default` queue, empty."""
    broker.hang_up()
    broker.breaker.reset()
    with redis.Redis.from_url(project.BROKER_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
    broker.hang_up()


def depth(messages):
    return messages.llen("default")


def start(count=1):
    return [jobs.note.delay(text=f"{number}") for number in range(count)]


def answer(messages):
    """Take a message off the broker as a worker does."""
    messages.rpop("default")
    runner.answer(10**9, queue="default")


def test_a_queue_is_counted_by_rows_and_by_messages(messages):
    due, later, running, died = start(4)
    Job.objects.filter(pk=due.pk).update(due_at=Now() - timedelta(seconds=60))
    Job.objects.filter(pk=later.pk).update(due_at=Now() + timedelta(hours=1))
    ledger.claim(running.pk, owner="me")
    Job.objects.filter(pk=died.pk).update(state="dead")

    state = {each.name: each for each in queues.states()}["default"]

    assert (state.due, state.later, state.running, state.dead) == (1, 1, 1, 1)
    assert 59 < state.oldest < 70
    assert state.messages == 4
    assert not state.is_empty


def test_every_queue_of_a_task_is_known_though_it_is_empty():
    assert {"default", "mail", "images"} <= {state.name for state in queues.states()}
    assert queues.state("mail").is_empty


def test_rows_are_counted_while_the_broker_is_away(monkeypatch):
    start()
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    broker.hang_up()

    state = {each.name: each for each in queues.states()}["default"]

    assert (state.due, state.messages) == (1, None)


def test_what_is_paused_stays_and_goes_on_when_it_is_resumed(messages, trace):
    start(2)
    queues.pause("default", by="ada", reason="the disk is full")
    answer(messages)
    answer(messages)
    start(1)
    answer(messages)
    assert (trace, depth(messages)) == ([], 0)

    assert queues.resume("default")

    assert depth(messages) == 3
    for _ in range(3):
        answer(messages)
    assert trace == ["0", "1", "0"]


def test_the_bells_of_a_paused_queue_do_not_pile_up(messages):
    start(3)
    messages.flushdb()
    queues.pause("default")
    Job.objects.update(rung_at=Now() - timedelta(hours=1))

    assert [sweep() for _ in range(3)] == [0, 0, 0]
    assert depth(messages) == 0


def test_to_resume_rings_only_for_those_without_a_message(messages):
    start(3)
    queues.pause("default")
    answer(messages)

    queues.resume("default")

    assert depth(messages) == 3


def test_a_resume_while_the_broker_is_away_is_made_good_by_the_sweep(messages, monkeypatch):
    start(2)
    messages.flushdb()
    queues.pause("default")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    broker.hang_up()
    queues.resume("default")
    monkeypatch.delenv("CELERY_BROKER_URL")
    broker.breaker.reset()
    Job.objects.update(rung_at=Now() - timedelta(seconds=11))

    assert sweep() == 2


def test_a_pause_says_who_and_why_and_the_second_changes_nothing():
    assert queues.pause("default", by="ada", reason="the disk is full")
    assert not queues.pause("default", by="ben")

    row = Queue.objects.get()
    assert (row.paused_by, row.reason) == ("ada", "the disk is full")
    assert queues.resume("default")
    assert not queues.resume("default")


def test_a_purge_discards_what_waits_and_nothing_else(messages):
    waiting, later, running, died = start(4)
    Job.objects.filter(pk=later.pk).update(due_at=Now() + timedelta(hours=1), rung_at=None)
    ledger.claim(running.pk, owner="me")
    Job.objects.filter(pk=died.pk).update(state="dead")
    Job.objects.create(task="jobs.note", queue="images")

    assert queues.purge("default") == 2

    states = dict(Job.objects.values_list("pk", "state"))
    assert [states[job.pk] for job in (waiting, later, running, died)] == [
        "discarded", "discarded", "running", "dead",
    ]  # fmt: skip
    assert Job.objects.get(queue="images").state == "queued"
    assert depth(messages) == 0


def test_no_queue_of_the_broker_grows_without_limit(messages, settings):
    settings.MESSAGING = {**settings.MESSAGING, "BELLS": 5}
    Job.objects.bulk_create(Job(task="jobs.note", queue="default", rung_at=None) for _ in range(12))

    assert [sweep(), sweep()] == [5, 0]
    messages.rpop("default", 3)
    Job.objects.filter(pk__in=Job.objects.rung().values("pk")[:3]).update(state="done")

    assert sweep() == 3
    assert depth(messages) == 5
    assert Job.objects.unrung().count() == 4


# --- In the admin --------------------------------------------------------------------------------
def act(client, action, *names):
    address = reverse("admin:messaging_queue_changelist")
    return client.post(address, {"action": action, "_selected_action": names}, follow=True)


def test_staff_pause_and_resume_in_the_admin(admin_client):
    Queue.objects.create(name="default")

    page = act(admin_client, "pause", "default").content.decode()
    assert "1 queue is paused." in page
    assert Queue.objects.get().paused_by == "admin"

    page = act(admin_client, "resume", "default").content.decode()
    assert "1 queue goes on." in page
    assert Queue.objects.get().paused_at is None


def test_staff_without_the_permission_pause_nothing(client, django_user_model):
    from django.contrib.auth.models import Permission

    Queue.objects.create(name="default")
    person = django_user_model.objects.create_user("cyd", "cyd@example.test", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_queue"))
    client.force_login(person)

    act(client, "pause", "default")

    assert Queue.objects.get().paused_at is None
