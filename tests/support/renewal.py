"""What the tests of the background share: something to compute from, and readers of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.utils import translation
from pytest_django import Settings

from apps import caching
from apps.caching import background as backgrounds
from apps.caching.background import background
from apps.caching.engine import engine
from apps.caching.lookup import place
from apps.caching.stats import counted
from apps.caching.stores import Item
from tests.support.wait import wait_until

MINUTE = timedelta(minutes=1)
PATIENCE = 30
# A computation of no length, so that no lot is drawn for it.
QUICK = 0


class Source:
    """What is computed from, and where."""

    def __init__(self) -> None:
        self.value = "old"
        self.computed: list[object] = []
        self.threads: set[int] = set()
        self.open = threading.Event()
        self.open.set()
        self.error: BaseException | None = None

    def hold(self) -> threading.Event:
        """Stop those who read from now on; return what lets them go."""
        self.open = threading.Event()
        return self.open

    def let_go(self) -> None:
        """Stop nobody from now on; who stands there goes on standing."""
        self.open = threading.Event()
        self.open.set()

    def read(self, argument: object) -> str:
        # First: a test that sees a computation begin may change what is read by the next one.
        value, may_go_on = self.value, self.open
        self.threads.add(threading.get_ident())
        self.computed.append(argument)
        assert may_go_on.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return value


source = Source()


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE, refresh_ahead=False)
def get_soft(number: int) -> str:
    return source.read(number)


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], refresh_ahead=0.5)
def get_ahead(number: int) -> str:
    return source.read(number)


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], refresh_ahead=True)
def get_by_lot(number: int) -> str:
    return source.read(number)


def _read_many(numbers: Sequence[int]) -> Mapping[int, str]:
    value = source.read(tuple(numbers))
    return dict.fromkeys(numbers, value)


@caching.cached(
    timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE, refresh_ahead=False, bulk=_read_many
)
def get_together(number: int) -> str:
    return source.read(number)


@caching.cached(timeout=MINUTE, stale_for=MINUTE, by_language=True, refresh_ahead=False)
def greet() -> str:
    source.read(None)
    return translation.get_language()


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE, refresh_ahead=False)
async def get_asynchronously(number: int) -> str:
    await asyncio.sleep(0)
    return source.read(number)


@pytest.fixture
def background_threads(settings: Settings) -> Iterator[None]:
    """Let two threads work in the background, and give the test a new source."""
    source.__init__()  # type: ignore[misc]
    settings.CACHING = {**settings.CACHING, "BACKGROUND_THREADS": 2, "LEASE_SECONDS": PATIENCE}
    yield
    source.open.set()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that the test moves; that of `time.monotonic` goes on."""
    with time_machine.travel("2026-11-21 10:00:00+00:00", tick=False) as traveller:
        yield traveller


@contextmanager
def busy(*, threads: int) -> Iterator[None]:
    """Keep all threads at work inside the block."""
    begun: list[int] = []
    end = threading.Event()

    def work() -> None:
        begun.append(1)
        end.wait(PATIENCE)

    for _ in range(threads):
        assert background().submit(work)
    wait_until(lambda: len(begun) == threads, seconds=PATIENCE)
    try:
        yield
    finally:
        end.set()


def settle_down() -> None:
    wait_until(backgrounds.is_idle, seconds=PATIENCE)


def counts(function: object) -> dict[str, float]:
    return counted().get(function.name, {})  # type: ignore[attr-defined]


def lease_of(call: caching.Call[str]) -> str:
    where = place(call, engine())
    versions = where.node.versions(where.tags)
    assert versions is not None
    return engine().keys.lease(where.key, versions)


def leases(call: caching.Call[str]) -> list[bytes | None]:
    return place(call, engine()).node.get([lease_of(call)]) or []


def take_lease(call: caching.Call[str]) -> None:
    """Stand for another process that has begun to compute."""
    place(call, engine()).node.add([Item(lease_of(call), b"1", PATIENCE)])
