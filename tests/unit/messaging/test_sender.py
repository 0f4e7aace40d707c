"""The producing end: what waits, what is sent again, and what is dropped."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager

import msgspec
import pytest

from apps.messaging.batches.envelope import EVENTS_AT_MOST, decode
from apps.messaging.batches.sender import Sender
from apps.messaging.batches.wires import BacklogFull
from apps.messaging.broker import BrokerAway
from tests.support.batches import Rung
from tests.support.wait import wait_until


class Broker:
    """A broker that takes messages, unless a test says how it fails."""

    def __init__(self):
        self.taken: list[bytes] = []
        self.tried: list[bytes] = []
        self.opened = 0
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def open_wire(self, *, seconds):
        self.opened += 1
        return self

    def send(self, body):
        self.tried.append(body)
        assert self.gate.wait(60)
        if self.failure:
            raise self.failure
        self.taken.append(body)

    def close(self):
        pass

    @property
    def messages(self):
        return [decode(body) for body in self.taken]

    @property
    def names(self):
        return [event_of(raw) for message in self.messages for raw in message.events]


def event_of(raw):
    return msgspec.json.decode(raw, type=Rung).by


def event(name="ada"):
    return msgspec.json.encode(Rung(name))


@pytest.fixture
def broker(settings):
    settings.MESSAGING = {**settings.MESSAGING, "BREAKER_SECONDS": 0.01}
    return Broker()


@contextmanager
def started(broker):
    sender = Sender(open_wire=broker.open_wire)
    try:
        yield sender
    finally:
        broker.gate.set()
        broker.failure = None
        sender.close(seconds=60)


def test_events_that_come_while_a_message_is_on_its_way_share_the_next(broker):
    broker.gate.clear()
    with started(broker) as sender:
        sender.put("photo.viewed", event("first"))
        wait_until(lambda: broker.tried)

        for number in range(10):
            sender.put("photo.viewed", event(f"{number}"))
        broker.gate.set()
        assert sender.flush(seconds=60)

    assert [len(message.events) for message in broker.messages] == [1, 10]
    assert broker.names == ["first", *map(str, range(10))]


def test_messages_of_a_producer_are_numbered_without_a_gap(broker):
    with started(broker) as sender:
        for _ in range(3):
            sender.put("photo.viewed", event())
            assert sender.flush(seconds=60)

    assert [message.number for message in broker.messages] == [1, 2, 3]
    assert {message.producer for message in broker.messages} == {sender.producer}


def test_a_message_holds_so_many_events_and_no_more(broker):
    broker.gate.clear()
    with started(broker) as sender:
        sender.put("photo.viewed", event())
        wait_until(lambda: broker.tried)
        for _ in range(EVENTS_AT_MOST + 1):
            sender.put("photo.viewed", event())
        broker.gate.set()
        assert sender.flush(seconds=60)

    assert [len(message.events) for message in broker.messages] == [1, EVENTS_AT_MOST, 1]


def test_a_topic_with_many_events_does_not_hold_up_another(broker):
    broker.gate.clear()
    with started(broker) as sender:
        sender.put("photo.viewed", event())
        wait_until(lambda: broker.tried)
        for _ in range(2 * EVENTS_AT_MOST):
            sender.put("photo.viewed", event())
        sender.put("photo.shared", event())
        broker.gate.set()
        assert sender.flush(seconds=60)

    topics = [message.topic for message in broker.messages]
    assert topics == ["photo.viewed", "photo.viewed", "photo.shared", "photo.viewed"]


@pytest.mark.parametrize("failure", [BrokerAway("gone"), BacklogFull("full"), ValueError("?")])
def test_a_message_is_sent_again_as_it_was_until_the_broker_has_it(broker, failure):
    broker.failure = failure
    with started(broker) as sender:
        sender.put("photo.viewed", event("first"))
        wait_until(lambda: len(broker.tried) >= 3)
        sender.put("photo.viewed", event("second"))
        broker.failure = None
        assert sender.flush(seconds=60)

    assert set(broker.tried[:-1]) == {broker.taken[0]}
    assert broker.names == ["first", "second"]


def test_a_line_that_was_cut_is_replaced_at_once(broker, settings):
    settings.MESSAGING = {**settings.MESSAGING, "BREAKER_SECONDS": 3600}
    with started(broker) as sender:
        sender.put("photo.viewed", event("first"))
        assert sender.flush(seconds=60)
        send, failures = broker.send, [BrokerAway("cut")]

        def cut_once(body):
            if failures:
                raise failures.pop()
            send(body)

        broker.send = cut_once
        sender.put("photo.viewed", event("second"))
        assert sender.flush(seconds=60)

    assert broker.names == ["first", "second"]
    assert broker.opened == 2


def test_what_the_buffer_cannot_hold_is_dropped_and_counted(broker, settings, caplog):
    settings.MESSAGING = {**settings.MESSAGING, "EVENT_BUFFER": 3}
    broker.failure = BrokerAway("gone")
    with started(broker) as sender:
        assert sender.put("photo.viewed", event("in hand"))
        wait_until(lambda: broker.tried)
        kept = [sender.put("photo.viewed", event(f"{number}")) for number in range(5)]
        broker.failure = None
        assert sender.flush(seconds=60)

    assert kept == [True, True, True, False, False]
    assert broker.names == ["in hand", "0", "1", "2"]
    assert [message.dropped for message in broker.messages] == [0, 2]
    assert caplog.text.count("events wait: gone") == 1
    assert "2 were dropped so far" in caplog.text


def test_a_process_that_ends_sends_what_waits(broker):
    broker.gate.clear()
    sender = Sender(open_wire=broker.open_wire)
    for number in range(3):
        sender.put("photo.viewed", event(f"{number}"))
    broker.gate.set()

    sender.close(seconds=60)

    assert broker.names == ["0", "1", "2"]
    assert not sender.put("photo.viewed", event("too late"))
    assert sender.dropped == 1


def test_a_process_does_not_wait_for_a_broker_that_is_away_when_it_ends(broker, caplog):
    broker.failure = BrokerAway("gone")
    sender = Sender(open_wire=broker.open_wire)
    sender.put("photo.viewed", event())
    wait_until(lambda: broker.tried)
    sender.put("photo.viewed", event())

    sender.close(seconds=0)

    assert caplog.text.count("the process ends: 1 events are lost") == 2
    assert sender._thread is not None
    assert not sender._thread.is_alive()


def test_a_child_has_a_sender_and_numbers_of_its_own():
    program = """
import os, django
django.setup()
from apps.messaging.batches import sender
parent = sender._process.sender()
sender._process._lock.acquire()
pid = os.fork()
if pid == 0:
    os._exit(0 if sender._process.sender().producer != parent.producer else 1)
sender._process._lock.release()
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, env=_environment())

    assert done.returncode == 0


def _environment():
    import os

    return {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"}
