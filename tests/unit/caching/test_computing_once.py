"""However many ask at once, one computes; and nobody waits for what is out of date."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
import time_machine
from pytest_django import Settings

from apps import caching
from apps.caching.engine import engine
from apps.caching.flights import boarding
from apps.caching.lookup import place
from apps.caching.stats import counted
from apps.caching.stores import Item
from tests.support.caching import Flaky, serving
from tests.support.wait import wait_until

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
PATIENCE = 5


class Gate:
    """A computation that a test holds open and counts."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.value = "old"
        self.started = 0
        self.error: Exception | None = None

    def pass_through(self) -> str:
        self.started += 1
        value = self.value  # what a query would have read
        assert self.open.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return value


gate = Gate()


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def get(number: int) -> str:
    return gate.pass_through()


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE)
def get_soft(number: int) -> str:
    return gate.pass_through()


@pytest.fixture(autouse=True)
def _new_gate(settings: Settings) -> None:
    gate.__init__()  # type: ignore[misc]
    settings.CACHING = {**settings.CACHING, "LEASE_SECONDS": PATIENCE}


@pytest.fixture
def start() -> Iterator[Callable[[Callable[[], T]], Future[T]]]:
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit
        gate.open.set()


Start = Callable[[Callable[[], str]], "Future[str]"]


def waits() -> float:
    return counted().get(get.name, {}).get("waits", 0)


def lease_of(call: caching.Call[str]) -> str:
    """Return the lease of the present generation of `call`."""
    where = place(call, engine())
    versions = where.node.versions(where.tags)
    assert versions is not None
    return engine().keys.lease(where.key, versions)


def test_threads_that_ask_at_once_share_one_computation(start: Start) -> None:
    gate.open.clear()
    answers = [start(lambda: get(1)) for _ in range(8)]
    wait_until(lambda: gate.started == 1 and waits() == 7, seconds=PATIENCE)

    gate.open.set()

    assert [answer.result(PATIENCE) for answer in answers] == ["old"] * 8
    assert gate.started == 1


def test_who_asks_after_a_change_does_not_wait_for_the_old_value(start: Start) -> None:
    gate.open.clear()
    before = start(lambda: get(1))
    wait_until(lambda: gate.started == 1, seconds=PATIENCE)

    gate.value = "new"
    caching.invalidate("thing:1")
    after = start(lambda: get(1))
    wait_until(lambda: gate.started == 2, seconds=PATIENCE)
    gate.open.set()

    assert before.result(PATIENCE) == "old"
    assert after.result(PATIENCE) == "new"
    assert get(1) == "new"


def test_the_same_holds_while_the_cache_is_away(start: Start) -> None:
    store = Flaky("memory://flaky")
    store.away = True
    with serving(store) as servers:
        gate.open.clear()
        before = start(lambda: get(1))
        wait_until(lambda: gate.started == 1, seconds=PATIENCE)

        gate.value = "new"
        caching.invalidate("thing:1")
        after = [start(lambda: get(1)) for _ in range(3)]
        wait_until(lambda: gate.started == 2 and waits() == 2, seconds=PATIENCE)
        gate.open.set()

        assert before.result(PATIENCE) == "old"
        assert [answer.result(PATIENCE) for answer in after] == ["new"] * 3
        store.away = False
        wait_until(lambda: not servers.nodes[0].owes, seconds=PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_what_another_process_changed_while_we_cannot_see_it(start: Start) -> None:
    """Cut off from the server, this process cannot know that others have told it of a change."""
    store = Flaky("memory://flaky")
    store.away = True
    with serving(store):
        gate.open.clear()
        before = start(lambda: get(1))
        wait_until(lambda: gate.started == 1, seconds=PATIENCE)

        gate.value = "new"  # written, committed and told by another process
        after = [start(lambda: get(1)) for _ in range(3)]
        wait_until(lambda: waits() == 3, seconds=PATIENCE)
        gate.open.set()

        assert before.result(PATIENCE) == "old"
        assert [answer.result(PATIENCE) for answer in after] == ["new"] * 3


def test_a_failure_is_not_shared(start: Start) -> None:
    gate.open.clear()
    gate.error = RuntimeError("no")
    first = start(lambda: get(1))
    wait_until(lambda: gate.started == 1, seconds=PATIENCE)
    second = start(lambda: get(1))
    wait_until(lambda: waits() == 1, seconds=PATIENCE)

    gate.open.set()

    with pytest.raises(RuntimeError):
        first.result(PATIENCE)
    with pytest.raises(RuntimeError):
        second.result(PATIENCE)
    assert gate.started == 2


def test_a_lease_of_another_process_is_waited_for(start: Start) -> None:
    call = get.call(1)
    where = place(call, engine())
    lease = lease_of(call)
    where.node.add([Item(lease, b"1", PATIENCE)])

    answer = start(lambda: get(1))
    wait_until(lambda: waits() == 1, seconds=PATIENCE)
    gate.value = "theirs"
    get.refresh(1)  # stands for the other process, which stores
    where.node.drop([lease])

    assert answer.result(PATIENCE) == "theirs"
    assert gate.started == 1


def test_who_holds_a_lease_and_dies_is_followed_by_another(start: Start) -> None:
    where = place(get.call(1), engine())
    lease = lease_of(get.call(1))
    where.node.add([Item(lease, b"1", PATIENCE)])
    answer = start(lambda: get(1))
    wait_until(lambda: waits() == 1, seconds=PATIENCE)

    where.node.drop([lease])  # its time is over

    assert answer.result(PATIENCE) == "old"


def test_nobody_waits_for_ever(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "LEASE_SECONDS": 0.05}
    where = place(get.call(1), engine())
    where.node.add([Item(lease_of(get.call(1)), b"1", 60)])

    assert get(1) == "old"


def test_a_lease_is_let_go_when_the_computation_fails() -> None:
    gate.error = RuntimeError("no")
    with pytest.raises(RuntimeError):
        get(1)

    assert place(get.call(1), engine()).node.get([lease_of(get.call(1))]) == [None]


def test_a_forgotten_entry_is_computed_without_a_wait() -> None:
    get(1)
    get.forget(1)
    get(1)

    assert gate.started == 2
    assert waits() == 0


def test_a_stale_value_is_served_while_one_computes(start: Start) -> None:
    with time_machine.travel("2026-11-21 10:00:00+00:00", tick=False) as clock:
        get_soft(1)
        gate.value = "new"
        clock.shift(61)
        gate.open.clear()
        winner = start(lambda: get_soft(1))
        wait_until(lambda: gate.started == 2, seconds=PATIENCE)

        assert get_soft(1) == "old"

        gate.open.set()
        assert winner.result(PATIENCE) == "old"
        assert get_soft(1) == "new"
        assert gate.started == 2


def test_a_change_is_never_stale(start: Start) -> None:
    get_soft(1)
    gate.value = "new"

    caching.invalidate("thing:1")

    assert get_soft(1) == "new"


def test_a_flight_is_over_when_it_has_landed() -> None:
    with boarding(("a",)) as (_, leads):
        assert leads
        with boarding(("a",)) as (flight, second_leads):
            assert not second_leads
            assert flight.wait(0) == (False, None)
        with boarding(("b",)) as (_, other_leads):
            assert other_leads
    with boarding(("a",)) as (_, leads_again):
        assert leads_again


def test_entries_do_not_expire_together() -> None:
    store = Recording("memory://recording")
    with serving(store):
        for number in range(30):
            get(number)

    kept = [item.seconds for item in store.items if len(item.value) > 8]

    assert all(54 <= seconds <= 60 for seconds in kept)
    assert len({round(seconds, 3) for seconds in kept}) > 10


class Recording(Flaky):
    """Remember what was put."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.items: list[Item] = []

    def put(self, items: object) -> None:
        found = list(items)  # type: ignore[call-overload]
        self.items += found
        super().put(found)
