"""What travels: some events of one topic, under a number that their producer gives only once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

EVENTS_AT_MOST = 500
"""How many events share a message, so that one message never is most of a batch."""

# As a bigint keeps it, with room for the number that follows.
Number = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Sent again, it is the same to the last byte: who has its number has its events."""

    producer: UUID
    number: Number
    name: Annotated[str, msgspec.Meta(max_length=200)]
    """The producer for people: its host and process."""
    topic: str
    events: list[msgspec.Raw]
    dropped: Number = 0
    """How many events the producer has lost so far."""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Message).decode
