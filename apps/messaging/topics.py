"""Publish and subscribe: news for live use, to whoever listens now. What nobody hears is lost.

One fanout exchange, filtered by the subscriber. A topic exchange would do on RabbitMQ, but on
Redis kombu keeps the bindings of subscribers that died, and fills their queues for ever; fanout is
Redis' own PUBLISH there, and a queue that dies with its connection on RabbitMQ.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import kombu
import msgspec
from django.db import transaction

from apps.messaging import broker
from apps.messaging.broker import Line

logger = logging.getLogger(__name__)

GAP = "messaging.gap"
EXCHANGE = kombu.Exchange("topics", type="fanout", durable=False, delivery_mode="transient")
POLL_SECONDS = 1.0
RECONNECT_SECONDS = 1.0


class Event(msgspec.Struct, frozen=True):
    """Something that happened: a topic of the form noun.past-participle, and what about it."""

    topic: str
    payload: dict[str, Any]


def publish(topic: str, payload: dict[str, Any]) -> None:
    """Tell the subscribers once the transaction commits. Never delays or fails the caller."""
    event = Event(topic=topic, payload=msgspec.to_builtins(payload))
    transaction.on_commit(partial(_send, event), robust=True)


def _send(event: Event) -> None:
    def send(line: Line) -> None:
        line.producer.publish(
            msgspec.to_builtins(event),
            exchange=EXCHANGE,
            declare=[EXCHANGE],
            serializer="json",
            retry=False,
        )

    try:
        broker.attempt(send)
    except broker.BrokerAway as error:
        logger.debug("%s was told to nobody: %s", event.topic, error)


def subscribe(pattern: str = "#", *, stop: threading.Event | None = None) -> Iterator[Event]:
    """Yield the events whose topic matches, until `stop` is set; blocks, so give it a thread.

    `*` stands for one word, `#` for any number. After the connection was lost, and is back, an
    event with the topic `messaging.gap` says that something may have been missed.
    """
    stop = stop or threading.Event()
    missed = False
    while not stop.is_set():
        connection = broker.connect(seconds=5)
        try:
            for event in _listen(connection, stop):
                if event is None:
                    if missed:
                        yield Event(topic=GAP, payload={})
                elif matches(pattern, event.topic):
                    yield event
        except broker.errors_of(connection) as error:
            missed = True
            logger.warning("subscription to %s was cut: %s", pattern, error)
            stop.wait(RECONNECT_SECONDS)
        finally:
            broker.close(connection)


def _listen(connection: kombu.Connection, stop: threading.Event) -> Iterator[Event | None]:
    """None once connected, then each event."""
    arrived: deque[Any] = deque()
    queue = kombu.Queue("", EXCHANGE, exclusive=True, auto_delete=True, durable=False)
    with connection.Consumer(
        queue, no_ack=True, accept=["json"], callbacks=[lambda body, _message: arrived.append(body)]
    ):
        yield None
        while not stop.is_set():
            try:
                connection.drain_events(timeout=POLL_SECONDS)
            except (TimeoutError, socket.timeout):  # noqa: UP041  kombu raises both
                connection.heartbeat_check()
            while arrived:
                yield msgspec.convert(arrived.popleft(), Event)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    words = [{"*": r"[^.]+", "#": r".*"}.get(word, re.escape(word)) for word in pattern.split(".")]
    return re.compile(r"\.".join(words))


def matches(pattern: str, topic: str) -> bool:
    """Whether `photo.*` matches `photo.developed`."""
    return _expression(pattern).fullmatch(topic) is not None
