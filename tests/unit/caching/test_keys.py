"""No two things have one name, and every server takes the names."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import example, given
from hypothesis import strategies as st

from apps.caching.keys import Keyspace, canonical, plain

LONGEST = 250


class Colour(Enum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.dates(),
    st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False),
)
arguments = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=4), inner, max_size=4),
    ),
    max_leaves=8,
)


def shape(value: object) -> object:
    """Return something equal for two values exactly if types and values are equal."""
    if isinstance(value, list | tuple):
        return type(value), [shape(item) for item in value]
    if isinstance(value, dict):
        return dict, {key: shape(item) for key, item in value.items()}
    return type(value), str(value) if isinstance(value, float | Decimal) else value


@given(arguments, arguments)
@example(["a b"], ["a", "b"])
@example([1], ["1"])
@example([True], [1])
@example([0.0], [-0.0])
@example(["a:", "b"], ["a", ":b"])
@example([["a"], "b"], [["a", "b"]])
@example((1,), [1])
@example(Decimal("1.0"), Decimal("1.00"))
def test_equal_bytes_mean_equal_arguments(one: object, other: object) -> None:
    assert (canonical(one) == canonical(other)) == (shape(one) == shape(other))


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_a_mapping_is_no_difference(mapping: dict[str, int]) -> None:
    turned = dict(reversed(list(mapping.items())))

    assert canonical(mapping) == canonical(turned)


def test_the_order_of_a_set_is_no_difference() -> None:
    assert canonical({"a", "b", "c"}) == canonical({"c", "b", "a"})
    assert canonical({"a"}) != canonical(frozenset({"a"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Colour.RED, "red"),
        (Number.ONE, 1),
        (mark_safe("a"), "a"),  # a widget escapes the one and not the other
        (date(2026, 1, 1), "2026-01-01"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12)),  # noqa: DTZ001
        (
            datetime(2026, 1, 1, 12, tzinfo=UTC),
            datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
        ),
        (time(1, fold=0), time(1, fold=1)),
        (timedelta(seconds=1), 1),
        (UUID(int=1), str(UUID(int=1))),
        (b"a", "a"),
        (None, "None"),
    ],
)
def test_what_a_function_could_tell_apart_is_apart(one: object, other: object) -> None:
    assert canonical(one) != canonical(other)
    assert canonical(one) == canonical(one)


@pytest.mark.parametrize("value", [object(), gettext_lazy("a"), iter([]), lambda: 1, 1j])
def test_what_has_no_value_of_its_own_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="pass an id"):
        canonical(["a", value])


def test_half_a_character_is_an_argument() -> None:
    assert canonical("\ud800") != canonical("\ud801")


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_server_takes_every_key(name: str, tag: str) -> None:
    keys = Keyspace("p" * 32, "v" * 32)
    entry = keys.entry(name, "d" * 32)

    for key in (entry, keys.tag(tag), keys.function(name), keys.epoch, keys.lease(entry, [b"v"])):
        assert 0 < len(key) <= LONGEST
        assert set(key) <= set(string.ascii_letters + string.digits + "_.:@/~-")


@given(st.text(max_size=300), st.text(max_size=300))
@example("x" * 101, "x" * 102)
@example("a b", "a_b")
def test_two_tags_are_two_keys(one: str, other: str) -> None:
    assert (plain(one) == plain(other)) == (one == other)


def test_a_readable_name_stays_readable() -> None:
    keys = Keyspace("sl", "0.1.0")

    assert keys.tag("photo:17") == "sl:t:photo:17"
    assert keys.entry("photos.popular", "abc") == "sl:0.1.0:photos.popular:abc"


def test_a_release_shares_tags_with_the_one_before() -> None:
    old, new = Keyspace("sl", "1"), Keyspace("sl", "2")

    assert old.tag("photo:17") == new.tag("photo:17")
    assert old.epoch == new.epoch
    assert old.entry("f", "d") != new.entry("f", "d")


def test_a_lease_is_of_one_generation() -> None:
    keys = Keyspace("sl", "1")

    assert keys.lease("e", [b"1" * 8]) != keys.lease("e", [b"2" * 8])
