"""An entry that is read shortly before its end never ends."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine

from apps import caching
from apps.caching import expiry
from apps.caching.envelope import Envelope
from apps.caching.expiry import is_due
from apps.caching.stores.memory import MemoryStore
from tests.support.caching import serving
from tests.support.renewal import (
    MINUTE,
    PATIENCE,
    QUICK,
    counts,
    get_ahead,
    get_by_lot,
    settle_down,
    source,
)
from tests.support.wait import wait_until

pytestmark = pytest.mark.usefixtures("background_threads")


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
        stamps=b"",
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


@pytest.mark.parametrize("timeout", [timedelta(0), -MINUTE])
def test_an_entry_of_no_time_is_refused_for_a_server_would_keep_it_for_ever(
    timeout: timedelta,
) -> None:
    with pytest.raises(ValueError, match="timeout"):
        caching.cached(timeout=timeout)
