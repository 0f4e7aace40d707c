"""A server that goes away, refuses, comes back: never an error, never an old answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest

from apps.caching.breaker import FIRST_PAUSE, LONGEST_PAUSE, WITHIN, Breaker
from apps.caching.node import MANY_DEBTS, Node
from apps.caching.servers import Servers, connect, score
from apps.caching.stores import Item
from apps.caching.stores.memory import MemoryStore
from apps.caching.versions import VERSION_BYTES, new_version
from tests.support.caching import Flaky
from tests.support.wait import wait_until

EVERYTHING = "p:e"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Flaky:
    return Flaky("memory://flaky")


@pytest.fixture
def node(store: Flaky, clock: Clock) -> Iterator[Node]:
    node = Node(store, breaker=Breaker(clock=clock))
    yield node
    # Let the thread that pays debts come to its end.
    store.away = store.full = False
    wait_until(lambda: not node.owes, seconds=5)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.allows()
        breaker.failed()


def test_three_failures_open_the_breaker(clock: Clock) -> None:
    breaker = Breaker(clock=clock)

    fail(breaker, 2)
    assert not breaker.is_open
    fail(breaker, 1)

    assert breaker.is_open
    assert not breaker.allows()


def test_failures_far_apart_do_not_open_it(clock: Clock) -> None:
    breaker = Breaker(clock=clock)

    for _ in range(5):
        fail(breaker, 1)
        clock.now += WITHIN / 2 + 0.1

    assert not breaker.is_open


def test_an_answer_in_between_starts_the_count_again(clock: Clock) -> None:
    breaker = Breaker(clock=clock)

    for _ in range(5):
        fail(breaker, 2)
        breaker.worked()

    assert not breaker.is_open


def test_after_the_pause_one_caller_tries(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, 3)

    clock.now += FIRST_PAUSE

    assert breaker.allows()
    assert not breaker.allows()
    breaker.worked()
    assert breaker.allows()
    assert not breaker.is_open


def test_the_pause_grows_to_a_limit(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, 3)

    for _ in range(10):
        clock.now += LONGEST_PAUSE
        assert breaker.allows()
        breaker.failed()
    clock.now += LONGEST_PAUSE / 2 - 0.1
    assert not breaker.allows()
    clock.now += LONGEST_PAUSE / 2 + 0.1
    assert breaker.allows()


def test_a_probe_that_never_reports_is_followed_by_another(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, 3)
    clock.now += FIRST_PAUSE
    assert breaker.allows()

    clock.now += FIRST_PAUSE

    assert breaker.allows()


def test_a_server_that_is_away_is_no_error(node: Node, store: Flaky) -> None:
    store.away = True

    assert node.get(["a"]) is None
    assert node.put([Item("a", b"1", 60)]) is False
    assert node.add([Item("a", b"1", 60)]) is None
    assert node.drop(["a"]) is False
    assert node.versions(["a"]) is None


def test_while_the_breaker_is_open_nobody_knocks(node: Node, store: Flaky) -> None:
    store.away = True
    for _ in range(3):
        node.get(["a"])

    store.away = False

    assert node.get(["a"]) is None


def test_a_server_that_refuses_is_still_there(node: Node, store: Flaky) -> None:
    store.full = True

    for _ in range(5):
        assert node.put([Item("a", b"1", 60)]) is False

    assert node.get(["a"]) == [None]


def test_a_tag_without_a_version_gets_one(node: Node) -> None:
    node.bump(["t2"], everything=EVERYTHING)

    versions = node.versions(["t1", "t2"])

    assert versions is not None
    assert [len(version) for version in versions] == [VERSION_BYTES] * 2
    assert node.versions(["t1", "t2"]) == versions


def test_another_process_may_be_first_to_give_one(node: Node, store: Flaky) -> None:
    theirs = new_version()
    store.put([Item("t1", theirs, 60)])

    # We had looked before they wrote.
    assert node.versions(["t1"], [None]) == (theirs,)


def test_an_invalidation_that_is_owed_closes_the_server(node: Node, store: Flaky) -> None:
    store.put([Item("a", b"1", 60)])
    store.away = True
    node.bump(["t1"], everything=EVERYTHING)

    assert node.owes == 1
    assert node.get(["a"]) is None

    store.away = False
    node.pay()

    assert node.owes == 0
    assert node.get(["a"]) == [b"1"]


def test_what_is_owed_is_delivered_without_being_asked(node: Node, store: Flaky) -> None:
    before = node.versions(["t1"])
    store.away = True
    node.bump(["t1"], everything=EVERYTHING)

    store.away = False

    wait_until(lambda: not node.owes, seconds=5)
    assert node.versions(["t1"]) != before


def test_a_server_that_is_back_is_told_at_once_whatever_it_is_owed(
    node: Node, store: Flaky
) -> None:
    store.away = True
    node.bump(["t1"], everything=EVERYTHING)
    store.away = False

    # Not when the thread has paid: other processes may have found the server again already.
    assert node.bump(["t2"], everything=EVERYTHING)
    assert store.get(["t2"]) != [None]


def test_a_full_server_owes_too(node: Node, store: Flaky) -> None:
    store.full = True
    node.bump(["t1"], everything=EVERYTHING)

    assert node.get(["a"]) is None

    store.full = False
    wait_until(lambda: not node.owes, seconds=5)


def test_a_long_absence_is_one_line_in_the_log(
    node: Node, store: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True
    for _ in range(3):
        node.get(["a"])

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "memory://flaky did not answer get" in caplog.text


def test_debts_do_not_grow_for_ever(node: Node, store: Flaky) -> None:
    store.away = True

    node.bump([f"t{number}" for number in range(MANY_DEBTS + 1)], everything=EVERYTHING)

    assert node.owes == 1
    store.away = False
    wait_until(lambda: not node.owes, seconds=5)
    assert store.get([EVERYTHING]) != [None]


def test_what_comes_due_while_paying_stays_due(node: Node, store: Flaky) -> None:
    store.away = True
    node.bump(["t1"], everything=EVERYTHING)
    owed = dict(node._debts)
    node.bump(["t1"], everything=EVERYTHING)

    assert node._debts != owed  # so the older payment does not clear the newer debt


def test_versions_are_never_equal() -> None:
    versions = [new_version() for _ in range(1000)]

    assert len(set(versions)) == len(versions)
    assert versions[0][:4] == versions[-1][:4]  # the clock leads


def test_every_process_finds_the_same_server() -> None:
    # Test vectors: a change here moves every entry of every site.
    assert score("redis://a:6379/0", "sl:1:f:x").hex() == "da5bfeb4a9e35b1a"
    names = [f"memory://{letter}" for letter in "abc"]
    servers = Servers([MemoryStore(name) for name in names])
    turned = Servers([MemoryStore(name) for name in reversed(names)])

    placed = [servers.place(f"key{number}").name for number in range(300)]

    assert placed == [turned.place(f"key{number}").name for number in range(300)]
    assert min(placed.count(name) for name in names) > 70


def test_a_new_server_takes_only_its_share() -> None:
    names = [f"memory://{letter}" for letter in "abcd"]
    three = Servers([MemoryStore(name) for name in names[:3]])
    four = Servers([MemoryStore(name) for name in names])

    moved = [
        four.place(key).name
        for key in (f"key{number}" for number in range(1000))
        if three.place(key).name != four.place(key).name
    ]

    assert set(moved) == {"memory://d"}
    assert 180 < len(moved) < 320


def test_tags_are_on_every_server() -> None:
    stores = [Flaky(f"memory://{letter}") for letter in "ab"]
    servers = Servers(stores)

    servers.bump(["t1"], everything=EVERYTHING)

    assert all(store.get(["t1"]) != [None] for store in stores)


def test_one_server_that_is_away_keeps_no_other_from_its_tags() -> None:
    stores = [Flaky(f"memory://{letter}") for letter in "ab"]
    servers = Servers(stores)
    stores[0].away = True

    servers.bump(["t1"], everything=EVERYTHING)

    assert [node.owes for node in servers.nodes] == [1, 0]
    assert stores[1].get(["t1"]) != [None]
    stores[0].away = False
    wait_until(lambda: not servers.nodes[0].owes, seconds=5)


def test_a_server_is_named_once() -> None:
    with pytest.raises(ValueError, match="named twice"):
        connect(("memory://a", "memory://a"), 0.1)


@pytest.mark.parametrize(
    "url", ["http://cache", "redis://", "cache", "memcached:///var/run", "unix://"]
)
def test_an_address_is_of_a_known_kind(url: str) -> None:
    with pytest.raises(ValueError, match="none of"):
        connect((url,), 0.1)


class Asked(Flaky):
    """Counts how often somebody tried."""

    tries = 0

    def put(self, items: Iterable[Item]) -> None:
        self.tries += 1
        super().put(items)

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        self.tries += 1
        return super().get(keys)


def test_a_server_that_is_given_back_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pausing, go_on = threading.Event(), threading.Event()
    store = Asked("memory://asked")
    store.away = True
    node = Node(store)

    def pause(seconds: float) -> None:
        if threading.current_thread() is node._payer:
            pausing.set()
            go_on.wait(60)
        else:
            threading.Event().wait(seconds)

    monkeypatch.setattr(time, "sleep", pause)
    node.bump(["a"], everything=EVERYTHING)
    assert pausing.wait(60)
    payer, tries = node._payer, store.tries
    assert payer is not None

    node.close()
    go_on.set()
    payer.join(60)

    assert not payer.is_alive()
    assert store.tries == tries
