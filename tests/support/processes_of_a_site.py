"""Two processes of a site in one: each with its own way to the servers that both share."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connections

from apps.caching import engine as engines
from apps.caching.breaker import Breaker
from apps.caching.engine import engine
from apps.caching.servers import Servers
from apps.caching.stores import Item, StoreAway
from tests.support.caching import Flaky

T = TypeVar("T")


class Clock:
    """Stands for the module `time` where the layer asks it for the date."""

    def __init__(self) -> None:
        self.offset = 0

    def time_ns(self) -> int:
        return time.time_ns() + self.offset

    def time(self) -> float:
        return self.time_ns() / 1e9

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class Link:
    """One process's way to a server. What is written while it is `slow` is carried out later."""

    def __init__(self, server: Flaky, late: list[Callable[[], object]]) -> None:
        self.server = server
        self.late = late
        self.away = self.slow = False

    @property
    def name(self) -> str:
        return self.server.name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        if self.away or self.slow:
            raise StoreAway("cut off")
        return self.server.get(keys)

    def put(self, items: Iterable[Item]) -> None:
        kept = list(items)
        self._write(lambda: self.server.put(kept))

    def add(self, items: Sequence[Item]) -> list[bool]:
        return self._write(lambda: self.server.add(items))

    def drop(self, keys: Sequence[str]) -> None:
        self._write(lambda: self.server.drop(keys))

    def close(self) -> None:
        """Nothing to give back."""

    def _write(self, command: Callable[[], T]) -> T:
        if self.away:
            raise StoreAway("cut off")
        if self.slow:
            self.late.append(command)
            raise StoreAway("timed out")
        return command()


class Process:
    """Runs work as a process of its own would: own debts, own breakers, own database connection."""

    def __init__(self, shared: Sequence[Flaky], late: list[Callable[[], object]]) -> None:
        self.links = [Link(server, late) for server in shared]
        self.now = 0.0
        self.thread = ThreadPoolExecutor(1)
        self.start_again()

    def start_again(self) -> None:
        """Forget what it owed, as who is killed does."""
        self.servers = Servers(self.links)
        for node in self.servers.nodes:
            node.breaker = Breaker(clock=lambda: self.now)
            node._see_to_payer = lambda: None  # type: ignore[method-assign] # `pay` is a step

    @property
    def owes(self) -> bool:
        return any(node.owes for node in self.servers.nodes)

    def run(self, work: Callable[[], T]) -> T:
        with self._in_charge():
            return self.thread.submit(work).result(60)

    def pay(self) -> None:
        for node in self.servers.nodes:
            node.pay()

    def end(self) -> None:
        self.thread.submit(connections.close_all).result(60)
        self.thread.shutdown()

    @contextmanager
    def _in_charge(self) -> Iterator[None]:
        before = engine()
        engines.replace(dataclasses.replace(before, servers=self.servers))
        try:
            yield
        finally:
            engines.replace(before)
