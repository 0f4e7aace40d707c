"""What a batch misses is computed once over all processes, and nobody waits for one who waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from pytest_django import Settings

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import Place, place
from apps.caching.stats import counted
from apps.caching.stores import Item
from tests.support.caching import Flaky, serving, trace
from tests.support.wait import wait_until

MINUTE = timedelta(minutes=1)
PATIENCE = 5
CALLS = [(number,) for number in range(4)]
computed: list[int] = []
broken: set[int] = set()


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def get(number: int) -> str:
    computed.append(number)
    if number in broken:
        raise RuntimeError("no")
    return f"mine {number}"


@pytest.fixture(autouse=True)
def _new(settings: Settings) -> None:
    computed.clear()
    broken.clear()
    settings.CACHING = {**settings.CACHING, "LEASE_SECONDS": PATIENCE}


@pytest.fixture
def start() -> Iterator[Callable[[Callable[[], list[str]]], Future[list[str]]]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


Start = Callable[[Callable[[], list[str]]], "Future[list[str]]"]


def waits() -> float:
    return counted().get(get.name, {}).get("waits", 0)


def hold(*numbers: int) -> list[tuple[Place, str]]:
    """Take leases as another process would."""
    taken = []
    for number in numbers:
        where = place(get.call(number), engine())
        versions = where.node.versions(where.tags)
        assert versions is not None
        lease = engine().keys.lease(where.key, versions)
        assert where.node.add([Item(lease, b"1", PATIENCE)]) == [True]
        taken.append((where, lease))
    return taken


def let_go(held: Sequence[tuple[Place, str]]) -> None:
    for where, lease in held:
        where.node.drop([lease])


def test_all_leases_are_asked_for_and_let_go_in_one_round_trip() -> None:
    get.many(CALLS)
    for (number,) in CALLS:
        get.forget(number)

    with trace() as seen:
        get.many(CALLS)

    name = f"{get.name}*4"
    assert {"add +4 leases", "drop +4 leases"} <= set(seen.lines)
    assert [trip.verb for trip in seen.trips] == ["get", "add", "get", "put", "drop"]
    assert seen.lines[0].startswith(f"get {name}")


def test_what_another_process_computes_is_waited_for(start: Start) -> None:
    held = hold(1, 2)
    answer = start(lambda: get.many(CALLS))
    wait_until(lambda: waits() == 2, seconds=PATIENCE)
    assert sorted(computed) == [0, 3]  # what is ours is computed before we wait

    for number in (1, 2):
        get.refresh(number)  # stands for the other process
    let_go(held)

    assert answer.result(PATIENCE) == [f"mine {number}" for number in range(4)]
    assert sorted(computed) == [0, 1, 2, 3]


def test_what_another_process_leaves_undone_is_computed(start: Start) -> None:
    held = hold(1, 2)
    answer = start(lambda: get.many(CALLS))
    wait_until(lambda: waits() == 2, seconds=PATIENCE)

    let_go(held)

    assert answer.result(PATIENCE) == [f"mine {number}" for number in range(4)]
    assert sorted(computed) == [0, 1, 2, 3]


def test_nobody_waits_for_ever(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "LEASE_SECONDS": 0.05}
    for where, lease in hold(1, 2):
        where.node.put([Item(lease, b"1", 60)])

    assert get.many(CALLS) == [f"mine {number}" for number in range(4)]


def test_the_same_call_twice_is_computed_once() -> None:
    assert get.many([(1,), (2,), (1,)]) == ["mine 1", "mine 2", "mine 1"]
    assert sorted(computed) == [1, 2]


def test_a_failure_lets_go_of_all_leases() -> None:
    broken.add(2)
    with pytest.raises(RuntimeError):
        get.many(CALLS)
    broken.clear()

    assert get.many(CALLS) == [f"mine {number}" for number in range(4)]
    assert waits() == 0


class Overtaking(Flaky):
    """Somebody else stores everything and lets go just before our leases arrive."""

    overtake: Callable[[], object] | None = None

    def add(self, items: Sequence[Item]) -> list[bool]:
        work, self.overtake = self.overtake, None
        if work is not None and any(":l:" in item.key for item in items):
            work()
        return super().add(items)


@pytest.mark.parametrize("ask", [lambda: get.many(CALLS), lambda: get(1)], ids=["batch", "single"])
def test_what_was_stored_since_we_looked_is_not_computed_again(ask: Callable[[], object]) -> None:
    store = Overtaking("memory://overtaking")
    with serving(store):
        ask()
        for (number,) in CALLS:
            get.forget(number)
        store.overtake = lambda: [get.refresh(number) for (number,) in CALLS]
        computed.clear()

        ask()

        assert sorted(computed) == [0, 1, 2, 3]  # by the other one
        ask()
        assert len(computed) == 4


def test_while_the_server_is_away_a_batch_is_computed() -> None:
    store = Flaky("memory://flaky")
    store.away = True
    with serving(store):
        assert get.many(CALLS) == [f"mine {number}" for number in range(4)]
    assert waits() == 0


def test_a_server_that_goes_while_we_wait_holds_nobody_up(start: Start) -> None:
    store = Flaky("memory://flaky")
    with serving(store):
        hold(1, 2)
        answer = start(lambda: get.many(CALLS))
        wait_until(lambda: waits() == 2, seconds=PATIENCE)

        store.away = True

        assert answer.result(PATIENCE) == [f"mine {number}" for number in range(4)]
