"""For tests of what uses the cache: an empty one for each test, and what a block asked of it."""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections
from django.utils import translation
from pytest_django import Settings

from apps.caching import engine as engines
from apps.caching import memo, transactions
from apps.caching.background import is_idle
from apps.caching.calls import Call
from apps.caching.engine import engine
from apps.caching.events import Event, Stored, Trip, listening
from apps.caching.learning import guesses
from apps.caching.lookup import look_up
from apps.caching.servers import Servers
from apps.caching.stats import reset
from apps.caching.stores import Item, Refused, Store, StoreAway
from apps.caching.stores.memory import MemoryStore
from tests.support.wait import wait_until

TABLE = re.compile(r'(?:FROM|INTO|UPDATE|JOIN) "?(\w+)', re.IGNORECASE)


@pytest.fixture(autouse=True)
def fresh_cache(settings: Settings) -> Iterator[None]:
    """Give each test keys of its own: nothing of another test is in its cache."""
    settings.CACHING = {
        **settings.CACHING,
        "PREFIX": f"t{secrets.token_hex(6)}",
        "REPORT_SECONDS": 0,
        # A test that wants messages names a queue of its own.
        "REWRITE_QUEUE": "",
        # What is done in the background is done before the caller goes on, in its transaction.
        "BACKGROUND_THREADS": 0,
        # A busy machine is not a server that is away.
        "SOCKET_TIMEOUT": 5.0,
    }
    reset()
    guesses.forget_all()
    with memo.suspended():
        yield
    # Nobody works on into the next test, whose database and cache are others.
    wait_until(is_idle, what="the work in the background ends")


class Flaky(MemoryStore):
    """A server in memory that a test can take away, with what it holds, and bring back."""

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
    """Let the layer use these stores inside the block."""
    servers, before = Servers(stores), engine()
    engines.replace(dataclasses.replace(before, servers=servers))
    try:
        yield servers
    finally:
        engines.replace(before)


class Trace:
    """What a block did, in order: `lines` are made to be a snapshot that a person reviews.

    `SELECT photos_photo accounts_user` is a query, `get photos.card*12 photos.popular +31 tags` a
    round trip to the cache.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.queries: list[str] = []
        self.trips: list[Trip] = []

    def execute(self, run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Note a query and run it: a Django execute wrapper."""
        self.queries.append(sql)
        tables = " ".join(dict.fromkeys(TABLE.findall(sql)))
        self.lines.append(f"{sql.split(maxsplit=1)[0]} {tables}".strip())
        return run(sql, *rest)

    def hear(self, event: Event) -> None:
        if isinstance(event, Trip):
            self.trips.append(event)
            self.lines.append(_line(event))


@contextmanager
def trace() -> Iterator[Trace]:
    """Record the queries of this thread and the round trips to the cache inside the block."""
    seen = Trace()
    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(seen.execute))
        stack.enter_context(listening(seen.hear))
        yield seen


def _line(trip: Trip) -> str:
    entries, others = Counter[str](), Counter[str]()
    for key in trip.keys:
        _, kind, *rest = key.split(":")
        if kind == "s":
            others["reports"] += 1
        elif kind in {"t", "f", "e"}:
            others["tags"] += 1
        elif kind == "l":
            others["leases"] += 1
        else:
            entries[":".join(rest[:-1])] += 1
    names = [
        name if number == 1 else f"{name}*{number}" for name, number in sorted(entries.items())
    ]
    more = [f"+{number} {what}" for what, number in sorted(others.items())]
    return " ".join([trip.verb, *names, *more])


@pytest.fixture
def nothing_is_stale(transactional_db: None) -> Iterator[None]:
    """Fail the test if, at its end, the cache would answer what a computation would not.

    Compute what a change concerns (call the widgets, get the page), call the service; the fixture
    compares every entry that was stored meanwhile. Needs real commits, hence the database fixture.
    """
    stored: dict[tuple[str, str], tuple[Call[Any], str]] = {}

    def hear(event: Event) -> None:
        if isinstance(event, Stored):
            key = (event.call.name, event.call.digest)
            stored[key] = (event.call, translation.get_language() or "")

    with listening(hear):
        yield
    stale = [call for call, language in stored.values() if is_stale(call, language=language)]
    assert not stale, f"the cache still answers with the old value: {stale}"


def is_stale(call: Call[Any], *, language: str = "en") -> bool:
    """Say whether the cache has an answer to `call` that differs from a computation."""
    if transactions.has_changed(call.tags):
        return False
    with memo.suspended(), translation.override(language):
        look = look_up([call])[0]
        return look.is_hit and bool(look.value != call.compute())
