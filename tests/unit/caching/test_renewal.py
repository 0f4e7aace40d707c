"""Entries that are old, or soon will be, are computed in the background: no reader waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import translation
from pytest_django import Settings

from apps import caching
from apps.caching import background as backgrounds
from apps.caching import expiry, memo, renewal
from apps.caching.background import Background, background
from apps.caching.engine import engine
from apps.caching.envelope import Envelope
from apps.caching.expiry import is_due
from apps.caching.lookup import place
from apps.caching.nesting import computing
from apps.caching.options import read_options
from apps.caching.stats import counted
from apps.caching.stores import Item
from apps.caching.stores.memory import MemoryStore
from tests.support.caching import Flaky, serving, trace
from tests.support.wait import wait_until

MINUTE = timedelta(minutes=1)
PATIENCE = 5
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
        self.computed.append(argument)
        self.threads.add(threading.get_ident())
        value, may_go_on = self.value, self.open
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


@pytest.fixture(autouse=True)
def _two_threads(settings: Settings) -> Iterator[None]:
    source.__init__()  # type: ignore[misc]
    settings.CACHING = {**settings.CACHING, "BACKGROUND_THREADS": 2, "LEASE_SECONDS": PATIENCE}
    yield
    source.open.set()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
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


# --- After the timeout ---------------------------------------------------------------------------


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


# --- Before the timeout --------------------------------------------------------------------------


def test_an_entry_that_is_read_near_its_end_never_ends(clock: time_machine.Traveller) -> None:
    with serving(MemoryStore(clock=time.time)):  # a server whose clock moves with ours
        get_ahead(1)
        for number in range(5):
            source.value = f"value {number}"
            clock.shift(40)

            get_ahead(1)
            settle_down()

            assert get_ahead(1) == f"value {number}"
    counted_now = counts(get_ahead)
    assert counted_now["ahead"] == 5
    assert counted_now["misses_absent"] == 1
    assert counted_now["hits"] == 10


def test_nobody_waits_for_what_is_computed_ahead(clock: time_machine.Traveller) -> None:
    get_ahead(1)
    clock.shift(40)
    source.value = "new"
    source.open.clear()

    assert [get_ahead(1) for _ in range(5)] == ["old"] * 5

    wait_until(lambda: len(source.computed) == 2, seconds=PATIENCE)


def test_an_entry_in_the_middle_of_its_life_is_left_alone(clock: time_machine.Traveller) -> None:
    get_ahead(1)
    clock.shift(20)

    get_ahead(1)
    settle_down()

    assert len(source.computed) == 1


def entry(*, delta_ms: float) -> Envelope:
    """An entry of second 0 that is fresh for ten seconds."""
    return Envelope(
        codec=0,
        created_ms=0,
        fresh_ms=10_000,
        delta_us=int(delta_ms * 1000),
        versions=(),
        payload=b"",
    )


@pytest.mark.parametrize(
    ("drawn", "now_ms", "expected"),
    [
        # -ln(1 - 0.5) = 0.69: asks for 693 ms with a computation of a second.
        (0.5, 9_300, False),
        (0.5, 9_310, True),
        # -ln(1 - 0.99) = 4.6: few ask that early.
        (0.99, 5_300, False),
        (0.99, 5_400, True),
        (0.0, 9_999, False),
        (0.0, 10_000, True),
    ],
)
def test_the_lot_is_that_of_the_paper(
    monkeypatch: pytest.MonkeyPatch, drawn: float, now_ms: int, expected: bool
) -> None:
    monkeypatch.setattr(expiry._dice, "random", lambda: drawn)

    assert is_due(entry(delta_ms=1000), ahead=0.0, now_ms=now_ms) is expected


def test_far_from_the_end_no_lot_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> float:
        raise AssertionError

    monkeypatch.setattr(expiry._dice, "random", refuse)

    assert not is_due(entry(delta_ms=10), ahead=0.0, now_ms=9_799)
    assert not is_due(entry(delta_ms=QUICK), ahead=0.0, now_ms=9_999)
    with pytest.raises(AssertionError):
        is_due(entry(delta_ms=10), ahead=0.0, now_ms=9_801)


def test_readers_draw_for_a_slow_entry(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry._dice, "random", lambda: 0.0)
    get_by_lot(1)
    clock.shift(50)
    get_by_lot(1)
    settle_down()
    assert len(source.computed) == 1

    clock.shift(11)  # the reader's clock says that it is over, the server's did not yet
    get_by_lot(1)


@pytest.mark.parametrize(
    ("stale_for", "wanted", "expected"),
    [
        (timedelta(0), None, None),
        (MINUTE, None, 0.0),
        (MINUTE, False, None),
        (timedelta(0), True, 0.0),
        (timedelta(0), 0.25, 0.25),
    ],
)
def test_what_may_be_stale_is_renewed_ahead_unless_told_otherwise(
    stale_for: timedelta, wanted: float | None, expected: float | None
) -> None:
    @caching.cached(timeout=MINUTE, stale_for=stale_for, refresh_ahead=wanted)
    def function() -> str:
        return ""

    assert function.policy.ahead == expected


@pytest.mark.parametrize("wrong", [-0.1, 1.5])
def test_a_part_of_the_timeout_is_at_most_all_of_it(wrong: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        caching.cached(timeout=MINUTE, refresh_ahead=wrong)


# --- The threads ---------------------------------------------------------------------------------


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
