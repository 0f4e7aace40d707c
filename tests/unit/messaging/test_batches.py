"""Events from `emit` to the handler, in one process, over the broker of the tests."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
import pytest
from django.db import OperationalError, connection, transaction
from redis.exceptions import ResponseError

from apps import messaging
from apps.messaging.batches import consumer as consuming
from apps.messaging.batches import sender, strangers
from apps.messaging.batches.batch import registry
from apps.messaging.batches.consumer import Consumer
from apps.messaging.batches.envelope import decode, encode
from apps.messaging.batches.streams import GROUP, KEY
from apps.messaging.batches.wires import BacklogFull, open_wire
from apps.messaging.batches.worker import Folding
from apps.messaging.broker import BrokerAway
from apps.messaging.models import Producer
from project.celery import app
from tests.support.batches import Rung, a_message, fold_all, keep, send, wire
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def names(batches):
    return [name for batch in batches for name in batch]


# --- emit ----------------------------------------------------------------------------------------
def test_what_is_emitted_is_folded_together(events):
    for name in ("ada", "ben", "cyd"):
        keep.emit(Rung(name))

    fold_all()

    assert names(events) == ["ada", "ben", "cyd"]


def test_an_event_leaves_at_commit_or_never(events):
    with transaction.atomic():
        keep.emit(Rung("never"))
        transaction.set_rollback(True)
    with transaction.atomic():
        keep.emit(Rung("at commit"))
        assert sender._process.sender()._thread is None

    fold_all()

    assert names(events) == ["at commit"]


def test_to_emit_needs_no_database(events):
    connection.close()

    keep.emit(Rung("ada"))

    assert connection.connection is None


def test_what_cannot_travel_is_lost_with_a_line_and_fails_nobody(events, caplog):
    keep.emit(Rung(by=object()))  # type: ignore[arg-type]
    keep.emit(Rung(by="x" * 20_000))
    keep.emit(Rung("ada"))

    fold_all()

    assert names(events) == ["ada"]
    assert "an event that is no JSON is lost" in caplog.text
    assert "an event of 20009 bytes is lost" in caplog.text


def test_a_topic_has_one_handler():
    with pytest.raises(TypeError, match=r"two batches are of test\.rung"):
        messaging.batch("test.rung", of=Rung)(lambda events: None)


def test_a_batch_called_directly_is_its_function(events):
    keep([Rung("ada")])

    assert events == [["ada"]]


# --- The worker's thread -------------------------------------------------------------------------
@pytest.fixture
def consumer():
    started = Consumer()
    started.start()
    yield started
    started.stop()
    assert not started._thread.is_alive()


def test_a_worker_folds_what_comes_and_acknowledges_it(events, consumer):
    keep.emit(Rung("ada"))
    wait_until(lambda: names(events) == ["ada"])

    with wire() as other:
        wait_until(lambda: other.count() == 0)
    assert Producer.objects.get().dropped == 0


def test_events_wait_for_the_database_and_none_is_lost(events, consumer, monkeypatch, caplog):
    monkeypatch.setattr(consuming, "RETRY_SECONDS", 0.05)
    tries = []

    def away(those):
        tries.append(those)
        if len(tries) < 3:
            raise OperationalError("gone")
        events.append([event.by for event in those])

    monkeypatch.setattr(keep, "function", away)
    keep.emit(Rung("ada"))
    wait_until(lambda: names(events) == ["ada"])

    with wire() as other:
        wait_until(lambda: other.count() == 0)
    assert caplog.text.count("1 events of test.rung wait: gone") == 2


def test_a_failure_nobody_foresaw_does_not_end_the_thread(events, monkeypatch, caplog):
    monkeypatch.setattr(consuming, "RETRY_SECONDS", 0.01)
    failures = [ZeroDivisionError(), BrokerAway("gone"), BrokerAway("gone")]

    def open_after_failures(*, seconds):
        if failures:
            raise failures.pop()
        return open_wire(seconds=seconds)

    consumer = Consumer(open_wire=open_after_failures)
    consumer.start()
    keep.emit(Rung("ada"))
    wait_until(lambda: names(events) == ["ada"])
    consumer.stop()

    assert caplog.text.count("no events are received: gone") == 1
    assert "folding failed" in caplog.text


def test_a_worker_holds_so_many_messages_and_leaves_the_rest_to_others(events, monkeypatch):
    monkeypatch.setattr(consuming, "PREFETCH", 3)
    monkeypatch.setattr(keep, "every", 600)
    send(*(a_message(f"{number}", number=number) for number in range(5)))
    consumer = Consumer()

    with wire() as ours, wire() as others:
        consumer._receive(ours)
        left = others.receive(most=10, seconds=0.1)
        consumer._fold_due(ours)

    assert names(events) == ["0", "1", "2"], "a full hand is folded before its time"
    assert [decode(delivery.body).number for delivery in left] == [3, 4]


def test_many_events_do_not_wait_for_their_time(events, monkeypatch):
    monkeypatch.setattr(keep, "every", 600)
    monkeypatch.setattr(keep, "most", 3)
    consumer = Consumer()

    with wire() as ours:
        send(a_message("ada", "ben"))
        consumer._receive(ours)
        consumer._fold_due(ours)
        assert names(events) == []
        send(a_message("cyd", number=2))
        consumer._receive(ours)
        consumer._fold_due(ours)
        assert names(events) == ["ada", "ben", "cyd"]


def test_no_batch_of_a_topic_comes_sooner_than_its_time(events, monkeypatch):
    monkeypatch.setattr(keep, "every", 600)
    consumer = Consumer()
    send(a_message("ada"))

    with wire() as ours:
        consumer._receive(ours)
        consumer._fold_due(ours)
        assert events == []
        consumer._piles["test.rung"].due_at = time.monotonic()
        consumer._fold_due(ours)

    assert events == [["ada"]]


# --- Topics of a newer release -------------------------------------------------------------------
def holds(consumer, count, opened):
    consumer._receive(opened)
    return consumer._count() == count


def test_a_topic_that_a_worker_does_not_know_waits_for_one_that_does(
    events, settings, monkeypatch, caplog
):
    settings.MESSAGING = {**settings.MESSAGING, "EVENT_REDELIVER_SECONDS": 0.05}
    send(*(a_message(name, topic="test.later", number=len(name)) for name in ("ada", "benny")))
    earlier, later = Consumer(), Consumer()

    with wire() as one, wire() as other:
        earlier._receive(one)
        earlier._serve_what_is_held(one)
        assert (other.count(), events) == (2, [])
        monkeypatch.setitem(registry, "test.later", keep)
        wait_until(lambda: holds(later, 2, other))
        for pile in later._piles.values():
            pile.due_at = 0
        later._serve_what_is_held(other)

        assert other.count() == 0
    assert sorted(names(events)) == ["ada", "benny"]
    assert caplog.text.count("events of test.later wait") == 1


def test_what_no_worker_wants_is_dropped_in_the_end(events, monkeypatch, caplog):
    send(*(a_message("ada", topic="test.given_up", number=number) for number in range(5)))
    consumer = Consumer()

    with wire() as ours:
        monkeypatch.setattr(strangers, "MOST", 3)
        consumer._receive(ours)
        consumer._serve_what_is_held(ours)
        assert ours.count() == 3, "so many at most"
        monkeypatch.setattr(strangers, "MOST", 100)
        monkeypatch.setattr(strangers, "PATIENCE_SECONDS", 0)
        send(a_message("ben", topic="test.given_up", number=6))
        consumer._receive(ours)
        consumer._serve_what_is_held(ours)
        assert ours.count() == 3, "so long at most"

    assert caplog.text.count("dropped a message of test.given_up") == 3


def test_old_producers_are_forgotten_in_passing(monkeypatch):
    Producer.objects.create(id="00000000-0000-0000-0000-000000000001", name="old")
    Producer.objects.update(seen_at="2020-01-01T00:00Z")
    consumer = Consumer()

    consumer._prune()
    assert Producer.objects.exists(), "not at the start: what a dead worker left comes first"
    consumer._prune_at = time.monotonic()
    consumer._prune()

    assert not Producer.objects.exists()


def test_a_worker_of_the_queue_folds_and_celery_does_not_look_at_it():
    queues: Any = app.amqp.queues
    kept = queues._consume_from
    try:
        queues.select(["default", "events"])
        worker = type("Worker", (), {"app": app, "steps": []})()
        step = Folding(worker)

        assert step.include(worker)
        assert list(queues.consume_from) == ["default"]
        assert isinstance(step.obj, Consumer)
        assert not Folding(worker).include(worker), "a worker of other queues"
    finally:
        queues._consume_from = kept


# --- On Redis ------------------------------------------------------------------------------------
def test_a_full_backlog_refuses_and_what_it_held_is_there(events, settings):
    settings.MESSAGING = {**settings.MESSAGING, "EVENT_BACKLOG": 2}
    send(a_message("ada", number=1), a_message("ben", number=2))

    with pytest.raises(BacklogFull):
        send(a_message("cyd", number=3))
    fold_all()

    assert names(events) == ["ada", "ben"]


def test_what_a_dead_worker_was_given_is_given_to_another(events, settings):
    settings.MESSAGING = {**settings.MESSAGING, "EVENT_REDELIVER_SECONDS": 0.05}
    send(a_message("ada"))

    with wire() as dead, wire() as other:
        (lost,) = dead.receive(most=10, seconds=1)
        assert other.receive(most=10, seconds=0.01) == []
        (again,) = wait_until(lambda: other.receive(most=10, seconds=0.01))

    assert (again.tag, again.body) == (lost.tag, encode(a_message("ada")))


def test_what_is_acknowledged_is_gone_and_twice_is_once(events):
    send(a_message("ada"))

    with wire() as ours:
        deliveries = ours.receive(most=10, seconds=1)
        ours.acknowledge(deliveries)
        ours.acknowledge(deliveries)
        ours.acknowledge([])

        assert ours.count() == 0
        assert ours.receive(most=0, seconds=1) == []


def test_a_redis_that_forgot_everything_is_joined_anew(events):
    with wire() as ours:
        ours.receive(most=1, seconds=0.01)
        redis = vars(ours)["_redis"]
        redis.delete(KEY)

        with pytest.raises(BrokerAway, match="NOGROUP"):
            ours.receive(most=1, seconds=0.01)

    send(a_message("ada"))
    fold_all()
    assert names(events) == ["ada"]


def test_entries_that_somebody_else_wrote_are_dropped(events, caplog):
    with wire() as ours:
        redis = vars(ours)["_redis"]
        redis.xadd(KEY, {"what": "is this"})
        send(a_message("ada"))

    fold_all()

    assert names(events) == ["ada"]
    assert "dropped a message that is none" in caplog.text


def test_a_wire_shows_every_failure_as_a_broker_that_is_away(events):
    with wire() as ours:
        redis = vars(ours)["_redis"]
        redis.delete(KEY)
        redis.set(KEY, "no stream")
        try:
            for ask in (lambda: ours.send(b"{}"), ours.count):
                with pytest.raises(BrokerAway, match="WRONGTYPE"):
                    ask()
            with pytest.raises(ResponseError):
                redis.xinfo_groups(KEY)
        finally:
            redis.delete(KEY)
    assert GROUP == "workers"


def test_a_wire_to_nowhere_is_a_broker_that_is_away(monkeypatch):
    for url in ("redis://127.0.0.1:9/1", "amqp://guest:guest@127.0.0.1:9//"):
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        with pytest.raises(BrokerAway), wire():
            pass


def test_a_thread_that_emits_while_others_do_loses_nothing(events):
    def emit():
        for _ in range(200):
            keep.emit(Rung("x"))

    threads = [threading.Thread(target=emit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    fold_all()

    assert names(events) == ["x"] * 1600


def test_a_message_stays_the_same_through_the_wire():
    message = a_message("ada", 'quoted " and ünïcode', number=2**62 - 1, dropped=3)

    assert decode(encode(message)) == message
    assert msgspec.json.decode(encode(message))["events"][1] == {"by": 'quoted " and ünïcode'}
