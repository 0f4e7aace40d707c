"""The decorator: a function becomes the handler of a topic, and the topic can be emitted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from django.db import connection, transaction

from apps.messaging.batches import sender

E = TypeVar("E", bound=msgspec.Struct)
logger = logging.getLogger(__name__)
registry: dict[str, Batch[Any]] = {}
_encode = msgspec.json.Encoder().encode
EVENT_BYTES = 10_000


class Batch(Generic[E]):
    """A topic whose events are folded many at a time. Called directly it is its function."""

    def __init__(
        self,
        function: Callable[[Sequence[E]], None],
        *,
        topic: str,
        of: type[E],
        every: float,
        most: int,
    ) -> None:
        self.function = function
        self.topic = topic
        self.every = every
        self.most = most
        self._decode = msgspec.json.Decoder(of).decode

    def __call__(self, events: Sequence[E]) -> None:
        self.function(events)

    def emit(self, event: E) -> None:
        """Send an event once the transaction commits. Never waits for the broker, never raises.

        What does not reach the broker, because it is away for long or this process is killed, is
        lost; what the broker has taken is folded exactly once.
        """
        try:
            body = _encode(event)
        except Exception:
            logger.exception("%s: an event that is no JSON is lost", self.topic)
            return
        if len(body) > EVENT_BYTES:
            logger.error("%s: an event of %d bytes is lost", self.topic, len(body))
            return
        # Not `on_commit` alone: without a transaction it would open a connection to the database.
        if connection.in_atomic_block:
            transaction.on_commit(partial(sender.put, self.topic, body), robust=True)
        else:
            sender.put(self.topic, body)

    def read(self, event: msgspec.Raw) -> E:
        """The event that was emitted. Raises msgspec.MsgspecError for anything else."""
        return self._decode(event)


def batch(
    topic: str, *, of: type[E], every: float = 1.0, most: int = 5_000
) -> Callable[[Callable[[Sequence[E]], None]], Batch[E]]:
    """Make a function of a list of events the handler of a topic; `of` is what an event is.

    A worker of the queue `events` calls it every `every` seconds at most, or sooner when `most`
    events wait, in a transaction that commits together with the note that these are folded. So it
    writes rows of the same database, in one order (`messaging.add_counts` does), and nothing else.
    It may be called again with the same events if that transaction fails.
    """

    def decorate(function: Callable[[Sequence[E]], None]) -> Batch[E]:
        if topic in registry:
            raise TypeError(f"two batches are of {topic}")
        registry[topic] = made = Batch(function, topic=topic, of=of, every=every, most=most)
        return made

    return decorate
