"""The threads that compute what nobody waits for."""

from __future__ import annotations

import threading

import pytest
import time_machine
from django.db import connection, connections, transaction
from pytest_django import Settings

from apps import caching
from apps.caching.background import Background, background
from apps.caching.options import read_options
from tests.support.caching import trace
from tests.support.renewal import (
    MINUTE,
    PATIENCE,
    busy,
    counts,
    get_soft,
    leases,
    settle_down,
    source,
    take_lease,
)
from tests.support.wait import wait_until

pytestmark = pytest.mark.usefixtures("background_threads")


def test_a_full_background_takes_nothing_on_and_holds_no_lease(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_soft(1)
    clock.shift(61)
    with busy(threads=2):
        while background().submit(lambda: None):
            pass
        with trace() as seen:
            assert get_soft(1) == "old"

    assert [trip.verb for trip in seen.trips] == ["get"]
    assert counts(get_soft)["background_full"] == 1
    settle_down()
    get_soft(1)
    settle_down()
    assert counts(get_soft)["renewed"] == 1


def test_a_background_that_fills_between_question_and_answer_lets_the_lease_go(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_soft(1)
    clock.shift(61)
    monkeypatch.setattr(Background, "submit", lambda *_: False)

    assert get_soft(1) == "old"

    assert counts(get_soft)["background_full"] == 1
    assert leases(get_soft.call(1)) == [None]


def test_no_more_threads_work_than_were_asked_for() -> None:
    pool = Background(threads=2)
    stop = threading.Event()
    seen: set[int] = set()

    def work() -> None:
        seen.add(threading.get_ident())
        stop.wait(PATIENCE)

    for _ in range(6):
        assert pool.submit(work)
    wait_until(lambda: len(seen) == 2, seconds=PATIENCE)
    stop.set()
    wait_until(lambda: pool.is_idle, seconds=PATIENCE)

    assert len(seen) == 2
    assert threading.get_ident() not in seen


def test_the_threads_do_not_keep_a_process_alive() -> None:
    daemons: list[bool] = []
    pool = Background(threads=1)

    pool.submit(lambda: daemons.append(threading.current_thread().daemon))
    wait_until(lambda: pool.is_idle, seconds=PATIENCE)

    assert daemons == [True]


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(1)])
def test_a_thread_survives_whatever_the_work_does(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def fail() -> None:
        raise error

    pool = Background(threads=1)
    for work in (fail, fail, lambda: done.append(1)):
        assert pool.submit(work)
    wait_until(lambda: pool.is_idle, seconds=PATIENCE)

    assert done == [1]
    assert len(caplog.records) == 2


def test_a_machine_without_a_thread_to_spare_is_a_full_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = Background(threads=1)
    done: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert not pool.submit(lambda: done.append(1))
    assert pool.is_idle

    assert pool.submit(lambda: done.append(2))
    wait_until(lambda: pool.is_idle, seconds=PATIENCE)

    assert done == [2]


def test_work_that_waited_past_its_leases_is_left_to_others(
    clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "BACKGROUND_THREADS": 1, "LEASE_SECONDS": 0.02}
    get_soft(1)
    clock.shift(61)
    call = get_soft.call(1)
    with busy(threads=1):
        assert get_soft(1) == "old"
        wait_until(lambda: leases(call) == [None], seconds=PATIENCE)
        take_lease(call)  # another process has it now
    settle_down()

    assert len(source.computed) == 1
    assert leases(call) == [b"1"]


def test_without_threads_the_caller_does_the_work(
    clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "BACKGROUND_THREADS": 0}
    get_soft(1)
    clock.shift(61)
    source.value = "new"

    assert get_soft(1) == "old"  # the same answer as with threads

    assert source.threads == {threading.get_ident()}
    assert get_soft(1) == "new"


@pytest.mark.parametrize("wrong", [-1, 1.5, "two", 65])
def test_a_number_of_threads_that_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="BACKGROUND_THREADS"):
        read_options({"BACKGROUND_THREADS": wrong})


@pytest.mark.django_db(transaction=True)
def test_the_work_has_its_own_connection_and_gives_it_back(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader in a transaction is no obstacle: the work sees what is committed."""
    seen: list[object] = []

    @caching.cached(timeout=MINUTE, stale_for=MINUTE, refresh_ahead=False)
    def see() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        seen.append(connections["default"])
        return connection.in_atomic_block

    see()
    clock.shift(61)
    with transaction.atomic():
        see()
        settle_down()

    here, there = seen
    assert here is not there
    assert there.connection is None  # type: ignore[attr-defined]
    assert see() is False
