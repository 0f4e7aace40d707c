"""Events on RabbitMQ: a quorum queue, whose broker confirms what it has taken.

The confirmations cost a round trip each, in a thread for which nobody waits.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

import kombu
from amqp.exceptions import MessageNacked

from apps.messaging import broker
from apps.messaging.batches.wires import BacklogFull, Delivery, reaching
from apps.messaging.conf import limits

QUEUE = "events"
HEARTBEAT_SECONDS = 10  # two missed, and the messages of a frozen worker go to another
AT_ONCE_SECONDS = 0.01
CONFIRM_SECONDS = 5


class QueueWire:
    """A wire on RabbitMQ; on any other broker of kombu, without confirmations."""

    def __init__(self, connection: kombu.Connection) -> None:
        self._connection = connection
        connection.heartbeat = HEARTBEAT_SECONDS
        connection.transport_options = {
            **(connection.transport_options or {}),
            "confirm_publish": True,
        }
        self._arrived: list[Delivery] = []
        self._consumer: kombu.Consumer | None = None
        with reaching(connection):
            channel: Any = connection.default_channel
            self._queue = kombu.Queue(QUEUE, durable=True, queue_arguments=_arguments(connection))
            self._queue(channel).declare()
            self._producer = kombu.Producer(channel, auto_declare=False)

    def send(self, body: bytes) -> None:
        with reaching(self._connection):
            try:
                self._producer.publish(
                    body,
                    routing_key=QUEUE,
                    content_type="application/json",
                    content_encoding="utf-8",
                    delivery_mode=kombu.Exchange.PERSISTENT_DELIVERY_MODE,
                    retry=False,
                    confirm_timeout=CONFIRM_SECONDS,
                )
            except MessageNacked as error:
                raise BacklogFull(f"{limits().event_backlog} messages wait in {QUEUE}") from error

    def receive(self, *, most: int, seconds: float) -> list[Delivery]:
        with reaching(self._connection):
            if self._consumer is None:
                self._consume(most)
            # Also where no more is wanted: heartbeats come the same way.
            wait = seconds if most > 0 else AT_ONCE_SECONDS
            while self._drain(wait) and len(self._arrived) < most:
                wait = AT_ONCE_SECONDS
            self._connection.heartbeat_check()
        arrived, self._arrived = self._arrived, []
        return arrived

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        with reaching(self._connection):
            for delivery in deliveries:
                delivery.tag.ack()

    def count(self) -> int:
        with reaching(self._connection):
            answer: Any = self._queue(self._connection.default_channel).queue_declare(passive=True)
            return int(answer.message_count)

    def close(self) -> None:
        broker.close(self._connection)

    def _consume(self, most: int) -> None:
        self._consumer = kombu.Consumer(
            self._connection.default_channel,
            [self._queue],
            on_message=self._keep,
            auto_declare=False,
            prefetch_count=most,
        )
        self._consumer.consume()

    def _keep(self, message: Any) -> None:
        body = message.body
        self._arrived.append(Delivery(message, body.encode() if isinstance(body, str) else body))

    def _drain(self, seconds: float) -> bool:
        try:
            self._connection.drain_events(timeout=seconds)
        except (TimeoutError, socket.timeout):  # noqa: UP041  kombu raises both
            return False
        return True


def _arguments(connection: kombu.Connection) -> dict[str, Any] | None:
    if connection.transport.driver_type != "amqp":
        return None
    return {
        "x-queue-type": "quorum",
        "x-max-length": limits().event_backlog,
        # Rather refused, and kept by the sender, than dropped after it was taken.
        "x-overflow": "reject-publish",
    }
