"""Entries built from entries: one server has been told of a change and the other has not yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import Found, look_up, place
from apps.caching.node import Node
from apps.caching.renewal import Due, compute_anew
from apps.caching.servers import Servers
from apps.caching.stats import counted
from apps.caching.surroundings import Surroundings
from tests.support.caching import Flaky, serving

MINUTE = timedelta(minutes=1)
rows: dict[int, str] = {}


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def inner(number: int) -> str:
    return rows[number]


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def outer(number: int) -> str:
    return f"<{inner(number)}>"


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def outer_of_a_batch(number: int) -> str:
    return f"<{inner.many([(number,), (number,)])[0]}>"


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], stale_for=MINUTE)
def outermost(number: int) -> str:
    return f"<{outer(number)}>"


@caching.cached(timeout=MINUTE, tags=["things"])
def shared() -> str:
    return rows[0]


def compute_in_bulk(numbers: Any) -> dict[int, str]:
    return {number: f"<{shared()}>" for number in numbers}


@caching.cached(timeout=MINUTE, tags=["things"], bulk=compute_in_bulk)
def outer_in_bulk(number: int) -> str:
    raise AssertionError("the bulk function knows all of them")


@pytest.fixture
def servers() -> Iterator[Servers]:
    rows.clear()
    with serving(Flaky("memory://a"), Flaky("memory://b")) as servers:
        yield servers


def apart(first: Any, second: Any) -> tuple[int, Node, Node]:
    """Return an argument for which the two entries live on two servers, and these."""
    for number in range(1000):
        one, other = (place(call.call(number), engine()).node for call in (first, second))
        if one is not other:
            return number, one, other
    raise AssertionError("one server has everything")


def tell(node: Node, number: int) -> None:
    """Do what a writer does for one of the servers."""
    node.bump([engine().keys.tag(f"thing:{number}")], everything=engine().keys.epoch)


OUTER = [outer, outer_of_a_batch]


@pytest.mark.parametrize("function", OUTER)
def test_an_entry_is_not_built_from_a_server_that_lags(
    servers: Servers, function: Callable[[int], str]
) -> None:
    number, mine, other = apart(function, inner)
    rows[number] = "old"
    function(number)
    inner(number)

    rows[number] = "new"
    tell(mine, number)
    assert function(number) == "<new>"  # the other server still says "old", and is not asked
    tell(other, number)

    assert function(number) == "<new>"
    assert inner(number) == "new"


def test_nor_by_way_of_a_third_entry(servers: Servers) -> None:
    number = next(
        n
        for n in range(1000)
        if len({id(place(f.call(n), engine()).node) for f in (outermost, outer)}) == 2
        and place(outermost.call(n), engine()).node is not place(inner.call(n), engine()).node
    )
    mine = place(outermost.call(number), engine()).node
    other = place(inner.call(number), engine()).node
    rows[number] = "old"
    outermost(number)
    inner(number)

    rows[number] = "new"
    tell(mine, number)
    outermost(number)
    tell(other, number)

    assert outermost(number) == "<<new>>"


def test_nor_when_it_is_rewritten(servers: Servers) -> None:
    number, mine, other = apart(outer, inner)
    rows[number] = "old"
    inner(number)

    rows[number] = "new"
    tell(mine, number)
    outer.refresh(number)
    tell(other, number)

    assert outer(number) == "<new>"


def in_a_batch(calls: list[caching.Call[str]]) -> None:
    outer_in_bulk.many([call.arguments for call in calls])


def in_the_background(calls: list[caching.Call[str]]) -> None:
    due = []
    for call in calls:
        where = place(call, engine())
        versions = where.node.versions(where.tags)
        assert versions is not None
        due.append(Due(call=call, where=where, versions=versions, reason="renewed"))
    compute_anew(due, until=float("inf"), around=Surroundings())


@pytest.mark.parametrize("compute", [in_a_batch, in_the_background])
def test_nor_when_many_are_computed_together(
    servers: Servers, compute: Callable[[list[caching.Call[str]]], None]
) -> None:
    other = place(shared.call(), engine()).node
    calls = [outer_in_bulk.call(number) for number in range(100)]
    calls = [call for call in calls if place(call, engine()).node is not other][:2]
    mine = place(calls[0], engine()).node
    rows[0] = "old"
    shared()

    rows[0] = "new"
    mine.bump([engine().keys.tag("things")], everything=engine().keys.epoch)
    compute(calls)
    other.bump([engine().keys.tag("things")], everything=engine().keys.epoch)

    assert outer_in_bulk.many([call.arguments for call in calls]) == ["<new>"] * 2
    assert [look.found for look in look_up(calls)] == [Found.HIT] * 2


def test_an_entry_of_the_same_server_is_used(servers: Servers) -> None:
    number = next(
        n
        for n in range(1000)
        if place(outer.call(n), engine()).node is place(inner.call(n), engine()).node
    )
    rows[number] = "old"
    inner(number)

    outer(number)

    assert counted()[inner.name]["computations"] == 1
    assert counted()[inner.name]["hits"] == 1


def test_a_rewritten_entry_names_what_it_was_built_from(servers: Servers) -> None:
    @caching.cached(timeout=MINUTE, tags=["things"])
    def hides() -> str:
        return inner.refresh(1)

    rows[1] = "old"
    hides()
    rows[1] = "new"
    caching.invalidate("thing:1")

    assert hides() == "new"
