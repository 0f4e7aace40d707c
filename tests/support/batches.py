"""Topics that the tests emit, and a worker's folding in this process, without its thread."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import msgspec
import pytest

from apps import messaging
from apps.messaging.batches import sender
from apps.messaging.batches.consumer import Consumer
from apps.messaging.batches.envelope import Message, encode
from apps.messaging.batches.queues import QueueWire
from apps.messaging.batches.streams import StreamWire
from apps.messaging.batches.wires import Wire, open_wire
from apps.photos.models import PhotoViews

DAY = date(2026, 6, 1)


class Rung(msgspec.Struct, frozen=True):
    """A bell in a test was rung."""

    by: str


folded: list[list[str]] = []


@messaging.batch("test.rung", of=Rung, every=0.1, most=1000)
def keep(events: Sequence[Rung]) -> None:
    names = [event.by for event in events]
    if "poison" in names:
        raise ZeroDivisionError("nobody expected this")
    folded.append(names)


class LookedAt(msgspec.Struct, frozen=True):
    """As a view of a photo, but in no hurry: it waits until its worker is asked to stop."""

    photo_id: uuid.UUID


@messaging.batch("test.looked_at", of=LookedAt, every=600)
def count_slowly(events: Sequence[LookedAt]) -> None:
    for event in events:
        messaging.add_counts(PhotoViews, {(event.photo_id, DAY): 1}, by=("photo", "day"))


@pytest.fixture
def events() -> Iterator[list[list[str]]]:
    """Nothing waits on the broker; the names of each batch of `test.rung` that is folded."""
    with wire() as clean:
        drop_all(clean)
    folded.clear()
    yield folded
    sender.close()
    with wire() as clean:
        drop_all(clean)


@contextmanager
def wire() -> Iterator[Wire]:
    opened = open_wire(seconds=10)
    try:
        yield opened
    finally:
        opened.close()


def drop_all(opened: Wire) -> None:
    """Also what was given to somebody and never acknowledged."""
    if isinstance(opened, StreamWire):
        opened._redis.delete(opened._key)
    elif isinstance(opened, QueueWire):
        opened._queue(opened._connection.default_channel).purge()


def fold_all(*, consumer: Consumer | None = None) -> None:
    """Fold what this process emitted, as a worker does that is asked to stop."""
    assert sender.flush(seconds=60)
    consumer = consumer or Consumer()
    with wire() as opened:
        while opened.count():
            consumer._receive(opened)
            if consumer._count():
                for topic, pile in list(consumer._piles.items()):
                    consumer._fold(opened, topic, pile)


def a_message(*names: str, number: int = 1, producer: int = 1, **fields: object) -> Message:
    """A message as a producer would make it; its parts may be given."""
    told: dict[str, object] = {
        "producer": uuid.UUID(int=producer),
        "number": number,
        "name": f"host:{producer}",
        "topic": "test.rung",
        "events": [msgspec.Raw(msgspec.json.encode(Rung(name))) for name in names],
    }
    return Message(**{**told, **fields})  # type: ignore[arg-type]


def send(*messages: Message | bytes) -> None:
    """Put messages on the broker as they are."""
    with wire() as opened:
        for message in messages:
            opened.send(message if isinstance(message, bytes) else encode(message))
