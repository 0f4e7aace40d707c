"""Tables that a person likes to read."""

from __future__ import annotations

import pytest

from apps.caching.management.tables import number, share, size, span, table


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    lines = table(
        ["name", "hits", "share"],
        [["a long name", 12400, share(1, 3)], ["short", 7, share(0, 0)]],
    )

    assert lines == [
        "name           hits   share",
        "a long name  12 400  33.3 %",
        "short             7       -",
    ]


def test_a_table_without_rows_is_its_head() -> None:
    assert table(["name", "hits"], []) == ["name  hits"]


def test_no_line_ends_with_blanks() -> None:
    assert table(["a", "b"], [["1", "long"], ["2", ""]])[-1] == "2"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.00031, "0.31 ms"),
        (0.25, "250 ms"),
        (4.21, "4.2 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (100_000, "1 d 3 h"),
    ],
)
def test_times_are_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(812, "812 B"), (1229, "1.2 KB"), (5 << 20, "5.0 MB"), (3 << 30, "3.0 GB")],
)
def test_sizes_are_told_in_units_of_1024(count: int, text: str) -> None:
    assert size(count) == text


def test_counts_have_their_thousands_apart() -> None:
    assert number(1234567) == "1 234 567"
