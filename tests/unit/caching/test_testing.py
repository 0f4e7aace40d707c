"""What the layer has for the tests of those who use it."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from apps import caching
from apps.caching import memo
from apps.caching.engine import engine
from apps.caching.stats import counted
from apps.caching.testing import (
    Flaky,
    hold_after_read,
    is_stale,
    serving,
    trace,
    watching_for_stale,
)

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
        "get tests.unit.caching.test_testing.list_names +3 tags",
        "add +3 tags",
        "get +3 tags",
        "add +1 leases",
        "get tests.unit.caching.test_testing.list_names +3 tags",
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


# --- Forcing a race ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_reader_is_held_between_his_query_and_his_store() -> None:
    with hold_after_read(list_names) as answer:
        assert not answer.done()
        assert counted()[list_names.name]["computations"] == 1
        assert "stores" not in counted()[list_names.name]
        with transaction.atomic():
            Group.objects.create(name="Club")
            caching.invalidate("groups")

    assert answer.result() == []  # he had asked before
    assert counted()[list_names.name]["stores"] == 1
    assert list_names() == ["Club"]  # and nobody is shown what he stored


@pytest.mark.django_db(transaction=True)
def test_while_a_reader_is_held_others_compute() -> None:
    with hold_after_read(lambda: double(1)) as answer:
        assert double(2) == 4
        assert not answer.done()

    assert answer.result() == 2


@pytest.mark.django_db(transaction=True)
def test_a_hit_cannot_be_held() -> None:
    double(1)

    with (
        pytest.raises(AssertionError, match="nothing was computed"),
        hold_after_read(lambda: double(1)),
    ):
        raise RuntimeError("not reached")


@pytest.mark.django_db(transaction=True)
def test_a_reader_is_let_go_when_the_test_fails() -> None:
    with (
        pytest.raises(RuntimeError, match="the test"),
        hold_after_read(lambda: double(1)) as answer,
    ):
        raise RuntimeError("the test")

    assert answer.result() == 2


@pytest.mark.django_db(transaction=True)
def test_what_a_held_reader_raises_is_in_the_answer() -> None:
    def work() -> int:
        return 1 // (double(1) - 2)

    with hold_after_read(work) as answer:
        pass

    with pytest.raises(ZeroDivisionError):
        answer.result()


# --- Finding what is stale -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_and_is_stale_is_found() -> None:
    with watching_for_stale() as stale:
        list_names()
        assert stale() == []

        Group.objects.create(name="Club")

        assert [call.name for call in stale()] == [list_names.name]
        caching.invalidate("groups")
        assert stale() == []


def test_the_counts_of_a_test_begin_at_zero() -> None:
    assert counted() == {}


def test_in_a_test_nothing_is_done_behind_its_back() -> None:
    assert engine().options.prefix.startswith("t")
    assert engine().options.report_seconds == 0
    assert engine().options.background_threads == 0
