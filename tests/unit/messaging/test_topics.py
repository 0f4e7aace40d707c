from __future__ import annotations

import socket

import kombu
import pytest

from apps.messaging import broker
from apps.messaging.topics import EXCHANGE, matches


@pytest.mark.parametrize(
    ("pattern", "topic", "is_match"),
    [
        ("photo.developed", "photo.developed", True),
        ("photo.developed", "photo.published", False),
        ("photo.*", "photo.developed", True),
        ("photo.*", "photo.comment.added", False),
        ("photo.*", "photo", False),
        ("photo.#", "photo.comment.added", True),
        ("*.developed", "photo.developed", True),
        ("#", "anything.at.all", True),
        ("photo.dev", "photo.developed", False),
        ("photo.developed", "photoXdeveloped", False),
        ("user.+", "user.+", True),
    ],
)
def test_a_pattern_matches_words(pattern, topic, is_match):
    assert matches(pattern, topic) is is_match


@pytest.fixture
def subscribe():
    """Bind a queue as a subscriber does, on a connection of its own; return its channel."""
    connections = []

    def bind():
        connections.append(broker.connect(seconds=5))
        channel = connections[-1].default_channel
        kombu.Queue("", EXCHANGE, exclusive=True, auto_delete=True, durable=False)(
            channel
        ).declare()
        return channel

    yield bind
    for connection in connections:
        broker.close(connection)


def test_a_subscriber_may_stop_while_another_thread_starts_one(subscribe, monkeypatch):
    one = subscribe()
    delete = one.queue_delete

    def interrupted(*args, **kwargs):
        monkeypatch.undo()
        subscribe()
        return delete(*args, **kwargs)

    # Called while the channel that closes walks through the fanout queues of the process.
    monkeypatch.setattr(one, "queue_delete", interrupted)

    broker.close(one.connection.client)

    assert one.closed
    assert one.queue_delete == delete, "nobody came between"


def test_who_hangs_up_changes_no_time_limit_of_others(subscribe, monkeypatch):
    limits: list[float | None] = []
    monkeypatch.setattr(socket, "setdefaulttimeout", limits.append)

    broker.close(subscribe().connection.client)

    assert set(limits) <= {None}
    assert socket.getdefaulttimeout() is None


def test_to_stop_while_the_broker_is_away_raises_nothing(subscribe, monkeypatch):
    connection = subscribe().connection.client

    def away(*args, **kwargs):
        raise OSError("the broker is away")

    monkeypatch.setattr(connection, "collect", away)

    broker.close(connection)
