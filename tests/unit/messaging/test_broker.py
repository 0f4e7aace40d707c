"""The way out to the broker: what a bell carries, and how long anybody waits for it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time

import pytest
import redis
from django.conf import settings as project

from apps.messaging import Job, bell, broker
from apps.messaging.broker import BrokerAway
from apps.messaging.conf import limits
from apps.messaging.worker import Sweeper
from tests.support.wait import wait_until


@pytest.fixture
def queue():
    with redis.Redis.from_url(project.BROKER_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def silence():
    """A server that accepts connections and never says a word: a broker that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def callers(server):
    """How many have connected to a server that answers nobody."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def read_bell(queue):
    message = json.loads(queue.rpop("default"))
    return message["headers"], message["properties"]


def test_a_bell_carries_the_id_of_its_job_and_nothing_else(queue):
    assert bell.ring(Job(pk=17, queue="default", arguments={"secret": "word"}))

    headers, _ = read_bell(queue)
    assert (headers["task"], headers["argsrepr"]) == ("messaging.run", "(17,)")
    assert headers["kwargsrepr"] == "{}"
    assert headers["timelimit"] == [None, None]


def test_a_bell_names_the_request_that_started_its_job(queue):
    bell.ring(Job(pk=17, queue="default", request_id="req-12345"))

    headers, _ = read_bell(queue)
    assert headers["request_id"] == "req-12345"


def test_a_bell_needs_not_survive_its_broker(queue):
    bell.ring(Job(pk=17, queue="default"))

    _, properties = read_bell(queue)
    assert properties["delivery_mode"] == 1


def test_a_broker_that_refuses_is_given_up_at_once(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    began = time.monotonic()

    assert not bell.ring(Job(pk=17, queue="default"))

    assert time.monotonic() - began < limits().broker_seconds / 2
    assert broker.breaker.is_open


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_hangs_is_given_up_soon_and_then_left_alone(
    monkeypatch, settings, silence, scheme
):
    settings.MESSAGING = {**settings.MESSAGING, "BROKER_SECONDS": 0.1, "BREAKER_SECONDS": 600}
    port = silence.getsockname()[1]
    monkeypatch.setenv("CELERY_BROKER_URL", f"{scheme}://127.0.0.1:{port}/1")
    began = time.monotonic()

    assert not bell.ring(Job(pk=17, queue="default"))
    # Left to themselves the libraries would wait for four seconds, or for ever.
    assert time.monotonic() - began < 4
    assert callers(silence) == 1

    for _ in range(100):
        assert not bell.ring(Job(pk=17, queue="default"))
    assert callers(silence) == 0


def test_while_the_breaker_is_open_nobody_asks(queue):
    broker.breaker.trip()

    with pytest.raises(BrokerAway):
        bell.depth("default")


def test_a_broker_that_is_back_shuts_the_breaker(monkeypatch, queue):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/1")
    bell.ring(Job(pk=17, queue="default"))
    monkeypatch.delenv("CELERY_BROKER_URL")
    broker.breaker.reset()

    assert bell.ring(Job(pk=17, queue="default"))

    assert not broker.breaker.is_open


def test_each_thread_has_a_line_of_its_own_and_keeps_it(queue):
    lines: list[broker.Line] = []

    def ask():
        for _ in range(2):
            broker.attempt(lines.append)
        broker.hang_up()

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    first, second, third, fourth = lines
    assert first is second
    assert third is fourth
    assert first is not third


def test_a_child_does_not_talk_on_the_line_of_its_parent(queue, monkeypatch):
    lines: list[broker.Line] = []
    broker.attempt(lines.append)
    parent = lines[0]
    monkeypatch.setattr(os, "getpid", lambda: parent.pid + 1)

    broker.attempt(lines.append)

    assert lines[1] is not parent
    monkeypatch.undo()
    for line in lines:
        line.connection.collect()


def test_a_sweep_that_fails_is_not_the_last(monkeypatch, settings, caplog):
    settings.MESSAGING = {**settings.MESSAGING, "SWEEP_SECONDS": 0.01}
    sweeps = []

    def sweep():
        sweeps.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr("apps.messaging.worker.sweep", sweep)
    sweeper = Sweeper(parent=None)
    sweeper.start(None)
    wait_until(lambda: len(sweeps) >= 3)
    sweeper.stop(None)

    assert not sweeper._thread.is_alive()
    assert "sweep failed" in caplog.text


def test_a_thread_that_ends_leaves_no_open_line(queue):
    connections = []

    def work():
        assert bell.ring(Job(pk=17, queue="default"))
        connections.append(vars(broker._own.line)["connection"])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    # kombu forgets its transport when it closes one.
    assert vars(connections[0])["_transport"] is None
