"""The way of events over the broker, the same for the two ends whichever broker it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import kombu

from apps.messaging import broker
from apps.messaging.broker import BrokerAway


class BacklogFull(Exception):
    """So many messages wait that the broker takes no more for now."""


class Delivery(NamedTuple):
    """A message as it came, and what it is acknowledged by."""

    tag: Any
    body: bytes


class Wire(Protocol):
    """One connection, for one thread. Every method raises BrokerAway when the broker is."""

    def send(self, body: bytes) -> None:
        """Return once the broker has taken the message. Raises BacklogFull."""

    def receive(self, *, most: int, seconds: float) -> list[Delivery]:
        """Wait for messages so long at most. None is lost before it is acknowledged."""

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Let the broker forget these messages."""

    def count(self) -> int:
        """How many messages wait: on Redis with those in hand, on RabbitMQ without them."""

    def close(self) -> None:
        """Leave what was not acknowledged to others."""


class OpenWire(Protocol):
    """How an end comes to its wire."""

    def __call__(self, *, seconds: float) -> Wire: ...


def open_wire(*, seconds: float) -> Wire:
    """A new wire, on which each step fails after `seconds`. Raises BrokerAway."""
    from apps.messaging.batches.queues import QueueWire  # noqa: PLC0415  both are built on this
    from apps.messaging.batches.streams import StreamWire  # noqa: PLC0415

    connection = broker.connect(seconds=seconds)
    kind = StreamWire if connection.transport.driver_type == "redis" else QueueWire
    try:
        return kind(connection)
    except BrokerAway:
        broker.close(connection)
        raise


@contextmanager
def reaching(connection: kombu.Connection) -> Iterator[None]:
    """Say in one way that the broker is away. Raises BrokerAway."""
    try:
        yield
    except broker.errors_of(connection) as error:
        raise BrokerAway(str(error) or type(error).__name__) from error
