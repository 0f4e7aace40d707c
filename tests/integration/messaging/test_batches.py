"""Events on real brokers with real workers, killed at any moment: the totals are exact."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import pytest
from django.db.models import Sum

from apps.messaging.batches import sender
from apps.photos.models import PhotoViews
from apps.photos.tasks import PhotoViewed, count_views
from tests.support import batches
from tests.support.batches import DAY, LookedAt, count_slowly
from tests.support.emitter import Emitter
from tests.support.folder import fold_and_die
from tests.support.photos import make_photo
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

BROKERS = ["valkey_server", pytest.param("rabbitmq_server", marks=pytest.mark.rabbitmq)]
HASTE = {"EVENT_REDELIVER_SECONDS": "1"}
PATIENCE = 240  # five processes and two workers start at once


@pytest.fixture(params=BROKERS)
def server(request, use_broker):
    """A broker of the test's own: kill(), start(). It writes to disk what it is given."""
    found = request.getfixturevalue(request.param)
    use_broker(url_of(found))
    return found


def url_of(server):
    return server.url if isinstance(server.url, str) else server.url(1)


@pytest.fixture
def folder(worker, server, events):
    """Start a worker that folds, and takes one that is silent for a second for dead."""
    options = ("--include", "tests.support.batches")
    variables = {"BROKER_URL": url_of(server), **HASTE}
    return partial(worker, "events", options=options, concurrency=1, **variables)


def view(photo, times=1):
    for _ in range(times):
        count_views.emit(PhotoViewed(photo_id=photo.pk, day=DAY))
    assert sender.flush(seconds=60)


def totals():
    return dict(PhotoViews.objects.filter(day=DAY).values_list("photo_id", "count"))


def total():
    return PhotoViews.objects.aggregate(sum=Sum("count", default=0))["sum"]


def more_than(seen):
    return total() > seen


def nothing_waits():
    with batches.wire() as wire:
        return wire.count() == 0


def test_five_producers_and_workers_killed_again_and_again_total_exactly(folder):
    photos = [make_photo().pk for _ in range(20)]
    workers = [folder(), folder()]

    with ExitStack() as stack:
        emitters = [stack.enter_context(Emitter(DAY, photos)) for _ in range(5)]
        for victim in (0, 1, 0, 1, 0):
            seen = total()
            wait_until(partial(more_than, seen), seconds=PATIENCE)
            workers[victim].kill()
            workers[victim] = folder()
        rounds = sum(emitter.stop() for emitter in emitters)
    expected = rounds * len(photos)
    wait_until(lambda: nothing_waits() and total() >= expected, seconds=PATIENCE)

    assert totals() == dict.fromkeys(photos, rounds)


def test_a_worker_killed_between_commit_and_acknowledgement_does_not_count_twice(folder, server):
    photo = make_photo()
    view(photo, 7)

    fold_and_die(BROKER_URL=url_of(server), **HASTE)
    assert total() == 7
    assert not nothing_waits()
    view(photo, 2)
    folder()
    wait_until(lambda: nothing_waits() and total() >= 9)

    assert total() == 9


def test_a_worker_that_was_frozen_with_events_in_hand_counts_none_twice(folder):
    photo = make_photo()
    frozen = folder()
    view(photo)
    wait_until(lambda: total() == 1)

    for _ in range(5):
        view(photo)
    frozen.freeze()
    folder()
    view(photo, 4)
    frozen.thaw()
    wait_until(lambda: nothing_waits() and total() >= 10)

    assert total() == 10


def test_what_a_worker_holds_is_folded_when_it_is_asked_to_stop(folder):
    photo = make_photo()
    worker = folder()
    for _ in range(3):
        count_slowly.emit(LookedAt(photo_id=photo.pk))
    assert sender.flush(seconds=60)
    # By the same messages on the same wire: what came before it is held.
    view(make_photo())
    wait_until(lambda: total() == 1)

    worker.ask_to_stop()
    assert worker.wait_dead(30)

    assert totals()[photo.pk] == 3
    assert nothing_waits()


def test_a_broker_that_goes_away_loses_nothing_that_the_buffer_holds(folder, server):
    photo = make_photo()
    folder()
    view(photo, 3)
    wait_until(lambda: total() == 3)

    server.kill()
    for _ in range(5):
        count_views.emit(PhotoViewed(photo_id=photo.pk, day=DAY))
    server.start()
    assert sender.flush(seconds=60)
    view(photo, 2)
    wait_until(lambda: total() >= 10)
    wait_until(nothing_waits)

    assert total() == 10


def test_a_broker_killed_while_messages_wait_still_has_them(server, folder):
    photo = make_photo()
    # The queue is not new: RabbitMQ 3.10 may come back without one made just before it was killed.
    worker = folder()
    view(photo)
    wait_until(lambda: total() == 1)
    worker.ask_to_stop()
    assert worker.wait_dead(30)
    view(photo, 10)

    server.kill()
    server.start()
    folder()
    wait_until(lambda: total() >= 11)

    assert total() == 11


def test_poison_on_the_queue_holds_nothing_up(folder):
    photo = make_photo()
    batches.send(b"\xff no message", b"{}", batches.a_message("ada", topic="nobody.knows"))
    batches.send(batches.a_message("ada", "poison"))
    worker = folder()

    view(photo)
    wait_until(lambda: total() == 1)
    wait_until(lambda: "the handler failed" in worker.log.read_text())

    log = worker.log.read_text()
    assert log.count("dropped a message that is none") == 2
    assert "events of nobody.knows wait: no handler in this release" in log
    assert "dropped 2 events of test.rung: the handler failed" in log


def test_a_worker_of_other_queues_leaves_events_alone(worker, server, events):
    photo = make_photo()
    view(photo)

    idle = worker("default", BROKER_URL=url_of(server), **HASTE)
    idle.ask_to_stop()
    assert idle.wait_dead(30)

    assert not nothing_waits()
    assert total() == 0
