from __future__ import annotations

import pytest

from apps.live.seats import Seats, Taken


def test_one_more_than_there_are_is_refused() -> None:
    seats = Seats(2)

    with seats.one_for("ada"), seats.one_for("ada"):
        with pytest.raises(Taken), seats.one_for("ada"):
            pass
        with seats.one_for("ben"):
            pass


def test_a_seat_is_free_again_after_an_error_too() -> None:
    seats = Seats(1)

    for _ in range(3):
        with pytest.raises(OSError), seats.one_for("ada"):  # noqa: PT011 - any will do
            raise OSError

    with seats.one_for("ada"):
        pass


def test_who_holds_none_is_forgotten() -> None:
    seats = Seats(1)

    with seats.one_for("ada"):
        with pytest.raises(Taken), seats.one_for("ada"):
            pass
        assert len(seats) == 1

    assert len(seats) == 0


def test_without_a_name_there_is_no_limit() -> None:
    seats = Seats(1)

    with seats.one_for(""), seats.one_for(""):
        assert len(seats) == 0
