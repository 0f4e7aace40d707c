"""A store inside this process: for development without servers, and for tests."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence

from apps.caching.stores.inspection import Facts
from apps.caching.stores.protocol import Item


class MemoryStore:
    """The least recently used items leave when there are more than `limit`."""

    def __init__(
        self,
        name: str = "memory",
        *,
        limit: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._items: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._lock:
            return [self._live(key) for key in keys]

    def put(self, items: Iterable[Item]) -> None:
        with self._lock:
            for item in items:
                self._write(item)

    def add(self, items: Sequence[Item]) -> list[bool]:
        with self._lock:
            return [self._live(item.key) is None and self._write(item) for item in items]

    def drop(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self._items.pop(key, None)

    def inspector(self, *, timeout: float) -> MemoryInspector:  # noqa: ARG002 - it never waits
        return MemoryInspector(self)

    def names(self, prefix: str) -> list[str]:
        """Return the keys of what is there that begin so."""
        with self._lock:
            return [key for key in list(self._items) if key.startswith(prefix) and self._live(key)]

    def weigh(self) -> tuple[int, int]:
        """Return how many items there are, and how many bytes their values have."""
        with self._lock:
            return len(self._items), sum(len(value) for value, _ in self._items.values())

    def close(self) -> None:
        """Nothing to give back; the items stay, as they would on a server."""

    def _write(self, item: Item) -> bool:
        until = self._clock() + item.seconds if item.seconds else float("inf")
        self._items[item.key] = (item.value, until)
        self._items.move_to_end(item.key)
        while len(self._items) > self._limit:
            self._items.popitem(last=False)
        return True

    def _live(self, key: str) -> bytes | None:
        found = self._items.get(key)
        if found is None:
            return None
        value, until = found
        if self._clock() >= until:
            del self._items[key]
            return None
        self._items.move_to_end(key)
        return value


class MemoryInspector:
    """What lies in this process; a command is another process and finds nothing there."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def facts(self) -> Facts:
        items, size = self._store.weigh()
        return Facts(software="memory of this process", items=items, memory_used=size, policy="lru")

    def keys(self, prefix: str) -> Iterator[str]:
        yield from self._store.names(prefix)

    def close(self) -> None:
        """Nothing to give back."""
