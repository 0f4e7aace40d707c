"""One flush: the handler's write and the receipts in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction

from apps.messaging.batches import receipts
from apps.messaging.batches.batch import Batch, registry
from apps.messaging.batches.envelope import Message, decode

logger = logging.getLogger(__name__)

# The database is away, locked or not migrated yet: no message is to blame, and all wait.
NOBODYS_FAULT = (OperationalError, InterfaceError, ProgrammingError)

# Shorter than the second after which PostgreSQL looks for a deadlock: should somebody write the
# same rows in another order, it is the flush that gives way and comes back, never a person.
LOCK_MILLISECONDS = 500


class Parcel(NamedTuple):
    """A message, and those of its events that could be read."""

    message: Message
    events: list[Any]


class UnknownTopic(Exception):
    """Events of this topic have no handler here; in a newer release they may."""


def unpack(body: bytes) -> tuple[Batch[Any], Parcel] | None:
    """What a message is for, and says; None, with a line in the log, if nobody can know.

    Raises UnknownTopic.
    """
    try:
        message = decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        logger.warning("dropped a message that is none: %s: %r", error, body[:200])
        return None
    batch = registry.get(message.topic)
    if batch is None:
        raise UnknownTopic(message.topic)
    events = []
    for event in message.events:
        try:
            events.append(batch.read(event))
        except msgspec.MsgspecError as error:
            logger.warning("dropped an event of %s: %s: %r", batch.topic, error, bytes(event)[:200])
    return batch, Parcel(message, events)


def fold(batch: Batch[Any], parcels: Sequence[Parcel]) -> None:
    """Hand the events that were never folded to the handler, and commit. Raises NOBODYS_FAULT.

    A message on which the handler fails is searched for by halving, and dropped alone.
    """
    try:
        _fold(batch, parcels)
    except NOBODYS_FAULT:
        raise
    except Exception:
        if len(parcels) == 1:
            count = len(parcels[0].events)
            logger.exception("dropped %d events of %s: the handler failed", count, batch.topic)
            return
        middle = len(parcels) // 2
        fold(batch, parcels[:middle])
        fold(batch, parcels[middle:])


@transaction.atomic
def _fold(batch: Batch[Any], parcels: Sequence[Parcel]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MILLISECONDS}ms"])
    unfolded = receipts.take(message for message, _ in parcels)
    events = []
    for message, those in parcels:
        key = (message.producer, message.number)
        if key in unfolded:
            unfolded.discard(key)  # the same message may be here twice
            events += those
    if events:
        batch.function(events)
