from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.messaging import Backoff

LETTERS = Backoff(first=15, limit=3 * 3600, total=2 * 86400, steady=0.5)


@pytest.mark.parametrize(
    ("failures", "ceiling"),
    [(1, 15), (2, 30), (3, 60), (8, 1920), (10, 7680), (11, 10800), (12, 10800), (5000, 10800)],
)
def test_ceilings_double_up_to_the_limit(failures, ceiling):
    assert LETTERS.ceiling(failures) == ceiling


@pytest.mark.parametrize(
    ("steady", "chance", "wait"),
    [(0, 0, 0), (0, 0.5, 30), (0, 1, 60), (0.5, 0, 30), (0.5, 0.5, 45), (0.5, 1, 60), (1, 0, 60)],
)
def test_the_wait_is_drawn_between_its_steady_part_and_its_ceiling(steady, chance, wait):
    backoff = Backoff(first=15, limit=3600, steady=steady)

    assert backoff.wait(3, chance) == wait


@given(failures=st.integers(1, 200), one=st.floats(0, 1), other=st.floats(0, 1))
def test_with_half_of_it_steady_no_wait_is_shorter_than_the_one_before(failures, one, other):
    if LETTERS.ceiling(failures) < LETTERS.limit / 2:
        assert LETTERS.wait(failures, one) <= LETTERS.wait(failures + 1, other)


def test_two_days_of_a_mail_server_that_is_away_are_two_dozen_tries():
    waits, failures = 0.0, 0
    while waits < LETTERS.total:
        failures += 1
        waits += LETTERS.wait(failures, 0.5)

    assert 20 <= failures <= 40


@pytest.mark.parametrize("wrong", [{"first": 0}, {"first": 60, "limit": 30}, {"steady": 1.5}])
def test_a_backoff_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"first|steady"):
        Backoff(**wrong)
