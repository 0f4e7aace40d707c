"""Which workers there are, by what they say themselves."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from apps.messaging import identity, ledger, presence
from apps.messaging.models import Queue, Worker
from apps.messaging.presence import Presence
from tests.support import jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return Presence(name="mail@here", queues=["mail", "slow"], pool="thread", concurrency=16)


def grow_silent(seconds):
    Worker.objects.update(beat_at=Now() - timedelta(seconds=seconds))


def conditions():
    return [worker.condition for worker in presence.workers()]


def test_a_worker_says_what_it_is(me, settings):
    settings.MESSAGING = {**settings.MESSAGING, "RELEASE": "1.2.3"}

    me.beat()

    row = Worker.objects.get()
    assert (row.name, row.pid, row.queues) == ("mail@here", os.getpid(), ["mail", "slow"])
    assert (row.pool, row.concurrency, row.release) == ("thread", 16, "1.2.3")


def test_the_queues_that_it_serves_are_known(me):
    me.beat()

    assert set(Queue.objects.values_list("name", flat=True)) == {"mail", "slow"}


def test_a_pause_is_not_lifted_by_a_worker_that_arrives(me):
    Queue.objects.create(name="mail", paused_at=Now(), reason="the server is ill")

    me.arrive()

    assert Queue.objects.get(name="mail").reason == "the server is ill"


def test_each_beat_is_one_row_and_names_the_jobs_in_hand(me):
    me.beat()
    mine, other = jobs.note.delay(text="mine"), jobs.note.delay(text="other")
    ledger.claim(mine.pk, owner="mail@here 17/MainThread")
    ledger.claim(other.pk, owner="mail@hereafter 17/MainThread")

    me.beat()

    assert Worker.objects.get().running == [mine.pk]


@pytest.mark.parametrize(("seconds", "condition"), [(0, "alive"), (14, "alive"), (16, "lost")])
def test_who_was_silent_for_three_beats_is_lost(me, seconds, condition):
    me.beat()
    grow_silent(seconds)

    assert conditions() == [condition]


def test_who_comes_back_is_not_lost_any_more(me):
    me.beat()
    grow_silent(60)

    me.beat()

    assert conditions() == ["alive"]


def test_who_was_asked_to_stop_is_stopped_and_not_lost(me):
    me.beat()
    me.leave()
    grow_silent(60)

    assert conditions() == ["stopped"]


def test_a_worker_that_starts_again_in_its_place_is_alive(me):
    me.beat()
    me.leave()

    me.arrive()

    assert conditions() == ["alive"]


def test_a_row_that_somebody_deleted_comes_back_with_the_next_beat(me):
    me.beat()
    Worker.objects.all().delete()

    me.beat()

    assert conditions() == ["alive"]


def test_workers_that_are_long_gone_are_forgotten(me):
    me.beat()
    assert presence.prune() == 0

    grow_silent(3 * 86400)

    assert presence.prune() == 1


def test_a_process_that_is_no_worker_is_called_after_its_machine(monkeypatch):
    monkeypatch.setattr(identity, "_names", [])

    assert identity.name()
    identity.take("mail@here")
    assert identity.name() == "mail@here"


def test_the_admin_lists_them(admin_client, me):
    me.beat()

    page = admin_client.get(reverse("admin:messaging_worker_changelist")).content.decode()

    assert "mail@here" in page
    assert "mail, slow" in page
    assert "alive" in page
