"""Whatever a server does at whatever moment, the page is shown, and nothing old stays behind."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import pytest
from pytest_django import Settings

from apps import caching
from apps.caching import memo
from apps.caching.servers import Servers
from apps.caching.stats import counted
from apps.caching.stores import Item, Refused, StoreAway
from tests.support.caching import Flaky, serving
from tests.support.wait import wait_until

VERBS = ["get", "put", "add", "drop"]
values = {1: "one", 2: "two", 3: "three"}
computed: list[int] = []


@caching.cached(timeout=timedelta(minutes=5), tags=["value:{number}"])
def read(number: int) -> str:
    computed.append(number)
    return values[number]


class Fickle(Flaky):
    """Fails at the verbs that a test names, after so many that work."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.failing: set[str] = set()
        self.error: type[Exception] = StoreAway
        self.after = 0

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        self.fail("get")
        return super().get(keys)

    def put(self, items: Iterable[Item]) -> None:
        self.fail("put")
        super().put(items)

    def add(self, items: Sequence[Item]) -> list[bool]:
        self.fail("add")
        return super().add(items)

    def drop(self, keys: Sequence[str]) -> None:
        self.fail("drop")
        super().drop(keys)

    def fail(self, verb: str) -> None:
        if verb in self.failing:
            if not self.after:
                raise self.error(verb)
            self.after -= 1


@pytest.fixture
def store() -> Fickle:
    return Fickle("memory://fickle")


@pytest.fixture(autouse=True)
def servers(store: Fickle) -> Iterator[Servers]:
    values.update({1: "one", 2: "two", 3: "three"})
    computed.clear()
    with serving(store) as servers:
        yield servers
        servers.close()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("error", [StoreAway, Refused])
def test_a_page_is_shown_wherever_the_server_fails(
    store: Fickle, verb: str, after: int, error: type[Exception]
) -> None:
    store.failing, store.after, store.error = {verb}, after, error

    assert read(1) == "one"
    assert read.many([(1,), (2,), (3,)]) == ["one", "two", "three"]
    assert read.refresh(2) == "two"
    read.forget(3)
    assert read(3) == "three"


@pytest.mark.parametrize("verb", VERBS)
def test_a_change_is_seen_wherever_the_server_fails(
    store: Fickle, servers: Servers, verb: str
) -> None:
    assert read.many([(1,), (2,)]) == ["one", "two"]
    store.failing = {verb}

    values[1] = "uno"
    caching.invalidate("value:1")

    assert read(1) == "uno"
    store.failing = set()
    assert read(1) == "uno"
    wait_until(lambda: not servers.nodes[0].owes, seconds=5)
    assert read.many([(1,), (2,)]) == ["uno", "two"]


def test_bytes_that_are_no_entry_are_computed_again(store: Fickle) -> None:
    read(1)
    for key in [key for key in store._items if key.endswith(read.call(1).digest)]:
        store.put([Item(key, b"K1 something else", 60)])

    assert read(1) == "one"
    assert computed == [1, 1]
    assert counted()[read.name]["misses_unreadable"] == 1
    assert read(1) == "one"
    assert computed == [1, 1]


def test_in_one_request_a_server_that_is_away_is_asked_once(store: Fickle) -> None:
    store.failing = {"get"}
    with memo.remembering():
        caching.prefetch(read.call(1), read.call(2))

        assert read(1) == read(1) == "one"
        assert read(2) == "two"

    assert computed == [1, 2]


def test_of_two_servers_one_goes_on(store: Fickle) -> None:
    other = Fickle("memory://other")
    with serving(store, other) as servers:
        values.update({number: str(number) for number in range(40)})
        everything = [(number,) for number in range(40)]
        read.many(everything)
        computed.clear()
        store.failing = set(VERBS)

        assert read.many(everything) == [str(number) for number in range(40)]

        assert 8 < len(computed) < 32
        servers.close()


def test_the_epoch_makes_everything_out_of_date(servers: Servers) -> None:
    from apps.caching.engine import engine

    read.many([(1,), (2,)])

    engine().bump([engine().keys.epoch])

    assert read.many([(1,), (2,)]) == ["one", "two"]
    assert computed == [1, 2, 1, 2]


def test_what_went_wrong_is_counted(store: Fickle) -> None:
    store.failing = {"get"}

    read(1)
    read(1)

    assert counted()[read.name]["misses_away"] == 2


@pytest.fixture
def machine_without_threads(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, store: Fickle
) -> Iterator[Servers]:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    settings.CACHING = {**settings.CACHING, "REPORT_SECONDS": 60.0}
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with serving(store) as servers:  # now that the settings have made a new engine
        yield servers
        servers.close()


def test_a_page_is_shown_by_a_machine_without_a_thread_to_spare(
    store: Fickle, machine_without_threads: Servers
) -> None:
    assert read(1) == read(1) == "one"

    store.failing = set(VERBS)
    values[1] = "uno"
    caching.invalidate("value:1")  # owed, and nobody to pay it

    assert read(1) == "uno"
    store.failing = set()
    assert read(1) == "uno"
    assert machine_without_threads.nodes[0].owes == 1


def test_what_cannot_be_written_as_bytes_is_shown(store: Fickle) -> None:
    values[1] = "half a character: \ud83d"

    assert read(1) == read(1) == values[1]
    assert counted()[read.name]["uncacheable"] == 2
