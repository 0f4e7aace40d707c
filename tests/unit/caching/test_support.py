"""The tools that other tests lean on."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

import pytest
from django.contrib.auth.models import Group

from apps import caching
from apps.caching import memo
from apps.caching.engine import engine
from tests.support.caching import Flaky, is_stale, serving, trace

MINUTES = timedelta(minutes=5)
prefixes: set[str] = set()


@caching.cached(timeout=MINUTES, tags=["groups"])
def list_names() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


@caching.cached(timeout=MINUTES, tags=["thing:{number}"])
def double(number: int, *, loud: bool = False) -> int:
    return number * 2


@pytest.mark.django_db
def test_a_trace_tells_queries_and_trips_in_order() -> None:
    Group.objects.create(name="Club")

    with trace() as seen:
        list_names()
        Group.objects.update(name="Family")

    assert seen.lines == [
        "get tests.unit.caching.test_support.list_names +3 tags",
        "add +3 tags",
        "get +3 tags",
        "add +1 leases",
        "get tests.unit.caching.test_support.list_names +3 tags",
        "SELECT auth_group",
        "drop +1 leases",
        "UPDATE auth_group",
    ]
    assert len(seen.queries) == 2
    assert len(seen.trips) == 6


def test_a_trace_ends_with_its_block() -> None:
    with trace() as seen:
        pass
    double(1)

    assert seen.lines == []


def test_a_trace_shows_what_was_not_answered() -> None:
    store = Flaky("memory://flaky")
    store.away = True

    with serving(store), trace() as seen:
        double(1)

    assert {trip.answered for trip in seen.trips} == {False}
    assert {trip.server for trip in seen.trips} == {"memory://flaky"}


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_keys_of_its_own(turn: int) -> None:
    prefixes.add(engine().keys.prefix)

    assert len(prefixes) >= 1
    assert double.call(1).digest
    with trace() as seen:
        double(1)
    assert "put" in [trip.verb for trip in seen.trips]


def test_no_request_goes_on_in_a_test() -> None:
    assert not memo.is_active()


def test_other_stores_are_used_inside_their_block_only() -> None:
    double(1)
    with serving(Flaky("memory://other")) as servers:
        assert engine().servers is servers
        assert engine().keys.prefix in prefixes | {engine().keys.prefix}
    assert engine().servers is not servers


@pytest.mark.django_db(transaction=True)
def test_what_is_stale_can_be_asked() -> None:
    list_names()
    assert not is_stale(list_names.call())

    Group.objects.create(name="Club")
    assert is_stale(list_names.call())

    caching.invalidate("groups")
    assert not is_stale(list_names.call())


@pytest.mark.django_db
def test_what_the_transaction_will_invalidate_is_not_stale() -> None:
    with memo.suspended():
        list_names()
    Group.objects.create(name="Club")

    caching.invalidate("groups")

    assert not is_stale(list_names.call())


def test_types_are_those_of_the_function() -> None:
    """Read by mypy: a decorator that loses types fails the type check, not this test."""
    assert_type(double(1), int)
    assert_type(double.fresh(1, loud=True), int)
    assert_type(double.refresh(1), int)
    assert_type(double.many([(1,)]), list[int])
    assert_type(double.call(1), caching.Call[int])
