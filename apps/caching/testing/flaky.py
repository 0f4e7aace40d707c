"""Servers that come and go as a test wants it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from apps.caching import engine as engines
from apps.caching.engine import engine
from apps.caching.servers import Servers
from apps.caching.stores import Item, Refused, Store, StoreAway
from apps.caching.stores.memory import MemoryStore


class Flaky(MemoryStore):
    """A server in memory that a test can take away, with what it holds, and bring back.

    `away = True`: it does not answer. `full = True`: it answers, and stores nothing.
    """

    away = False
    full = False

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        self._knock()
        return super().get(keys)

    def put(self, items: Iterable[Item]) -> None:
        self._knock()
        if self.full:
            raise Refused("out of memory")
        super().put(items)

    def add(self, items: Sequence[Item]) -> list[bool]:
        self._knock()
        return super().add(items)

    def drop(self, keys: Sequence[str]) -> None:
        self._knock()
        super().drop(keys)

    def names(self, prefix: str) -> list[str]:
        self._knock()
        return super().names(prefix)

    def weigh(self) -> tuple[int, int]:
        self._knock()
        return super().weigh()

    def clear(self, *, containing: str = "") -> None:
        """Lose the items whose key contains this, whether or not anybody can reach us."""
        for key in [key for key in self._items if containing in key]:
            del self._items[key]

    def _knock(self) -> None:
        if self.away:
            raise StoreAway("cut off")


@contextmanager
def serving(*stores: Store) -> Iterator[Servers]:
    """Let the layer use these stores inside the block, and forget what they are owed after it."""
    servers, before = Servers(stores), engine()
    engines.replace(dataclasses.replace(before, servers=servers))
    try:
        yield servers
    finally:
        engines.replace(before)
        # A thread that went on trying would be heard by whoever traces after us.
        servers.close()
