"""The five verbs, and the two ways in which they may fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class StoreAway(Exception):
    """The server did not answer, in time or at all. What was sent may still be carried out."""


class Refused(Exception):
    """The server answered, and does not want this: an item too large, a full memory."""


class Item(NamedTuple):
    """Something to store. `seconds` is how long it is kept; 0 is until it is evicted."""

    key: str
    value: bytes
    seconds: float


class Store(Protocol):
    """One server. Every method is one round trip, safe between threads and after a fork.

    Writes are sent once: a write repeated by a client may land after a newer one and bring the
    old value back. Reads may be sent again on a new connection when a pooled one turns out dead.
    """

    @property
    def name(self) -> str:
        """The address without a password: the same in every process, for it places the keys."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, None for one that is absent."""

    def put(self, items: Iterable[Item]) -> None:
        """Store every item."""

    def add(self, items: Sequence[Item]) -> list[bool]:
        """Store each item whose key is absent; say of each whether it was stored."""

    def drop(self, keys: Sequence[str]) -> None:
        """Forget the keys."""

    def close(self) -> None:
        """Give the connections back."""
