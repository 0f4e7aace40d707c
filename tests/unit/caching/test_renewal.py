"""An entry that may be stale is computed in the background: no reader waits."""

from __future__ import annotations

import asyncio

import pytest
import time_machine
from django.utils import translation

from apps import caching
from apps.caching import memo, renewal
from apps.caching.nesting import computing
from tests.support.caching import Flaky, serving, trace
from tests.support.renewal import (
    PATIENCE,
    counts,
    get_asynchronously,
    get_soft,
    get_together,
    greet,
    leases,
    settle_down,
    source,
    take_lease,
)
from tests.support.wait import wait_until

pytestmark = pytest.mark.usefixtures("background_threads")


def test_nobody_waits_for_an_entry_that_may_be_stale(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    source.value = "new"
    source.open.clear()  # whoever computed in this thread would stand here

    assert [get_soft(1) for _ in range(5)] == ["old"] * 5

    wait_until(lambda: len(source.computed) == 2, seconds=PATIENCE)
    source.open.set()
    settle_down()
    assert get_soft(1) == "new"
    assert len(source.computed) == 2
    assert counts(get_soft)["renewed"] == 1


def test_the_lease_is_let_go_after_the_work(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    source.open.clear()
    get_soft(1)
    assert leases(get_soft.call(1)) == [b"1"]

    source.open.set()
    settle_down()

    assert leases(get_soft.call(1)) == [None]


def test_who_holds_the_lease_elsewhere_is_left_to_it(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    take_lease(get_soft.call(1))

    assert get_soft(1) == "old"

    settle_down()
    assert len(source.computed) == 1


def test_a_change_during_the_work_is_not_overwritten(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    source.value = "of the renewal"
    held = source.hold()
    get_soft(1)
    wait_until(lambda: len(source.computed) == 2, seconds=PATIENCE)

    caching.invalidate("thing:1")
    source.value = "changed"
    source.let_go()
    assert get_soft(1) == "changed"
    held.set()
    settle_down()

    with trace() as seen:
        assert get_soft(1) == "changed"
    assert [trip.verb for trip in seen.trips] == ["get"]


def test_many_old_entries_are_computed_together(clock: time_machine.Traveller) -> None:
    get_together.many([(1,), (2,), (3,)])
    clock.shift(61)
    source.value = "new"
    source.computed.clear()

    with trace() as seen:
        assert get_together.many([(1,), (2,), (3,)]) == ["old"] * 3
        here = [trip.verb for trip in seen.trips][:2]
    settle_down()

    assert here == ["get", "add"]  # one round trip for all leases
    assert source.computed == [(1, 2, 3)]
    assert get_together.many([(1,), (2,), (3,)]) == ["new"] * 3


def test_one_that_fails_does_not_keep_the_others(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_soft.many([(1,), (2,)])
    clock.shift(61)
    source.computed.clear()
    source.error = RuntimeError("no")

    assert get_soft.many([(1,), (2,)]) == ["old"] * 2
    settle_down()

    assert source.computed == [1, 2]


def test_a_failure_is_counted_and_told_once(
    clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_said", set())
    get_soft(1)
    clock.shift(61)
    source.error = RuntimeError("the database is tired")

    for _ in range(3):
        assert get_soft(1) == "old"
        settle_down()

    assert counts(get_soft)["background_failed"] == 3
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "the database is tired"
    ]
    assert leases(get_soft.call(1)) == [None]


def test_the_language_is_that_of_the_reader(clock: time_machine.Traveller) -> None:
    with translation.override("de"):
        greet()
        clock.shift(61)
        greet()
        settle_down()

        assert greet() == "de"
        assert counts(greet)["renewed"] == 1


def test_the_work_knows_nothing_of_the_request(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    source.value = "new"
    with memo.remembering(), computing(["other"]), memo.remembering():
        get_soft(1)
        settle_down()

        assert get_soft(1) == "old"  # as this request saw it before
        assert len(source.computed) == 2

    assert get_soft(1) == "new"


def test_one_request_tries_once(clock: time_machine.Traveller) -> None:
    get_soft(1)
    clock.shift(61)
    source.open.clear()
    with memo.remembering(), trace() as seen:
        for _ in range(5):
            get_soft(1)

    assert [trip.verb for trip in seen.trips].count("add") == 1


def test_an_asynchronous_function_is_renewed_too(clock: time_machine.Traveller) -> None:
    async def ask() -> str:
        return await get_asynchronously(1)

    asyncio.run(ask())
    clock.shift(61)
    source.value = "new"

    assert asyncio.run(ask()) == "old"
    settle_down()

    assert asyncio.run(ask()) == "new"


def test_while_the_server_is_away_nothing_is_begun(clock: time_machine.Traveller) -> None:
    store = Flaky("memory://flaky")
    with serving(store):
        get_soft(1)
        clock.shift(61)
        with memo.remembering():
            caching.prefetch(get_soft.call(1))
            store.away = True

            assert get_soft(1) == "old"  # found before the server went
        settle_down()
        assert len(source.computed) == 1
