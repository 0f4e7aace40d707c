"""Calls that are put together once: never two calls taken for one, never too many kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.safestring import mark_safe
from pytest_django import Settings

from apps import caching
from apps.caching import functions
from apps.caching.engine import engine
from apps.caching.lookup import place

MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["thing:{thing}"])
def describe(thing: object) -> str:
    return f"{type(thing).__name__} {thing}"


@caching.cached(timeout=MINUTE)
def join(first: str, second: str = "-") -> str:
    return first + second


def test_a_call_is_put_together_once() -> None:
    assert describe.call(7) is describe.call(7)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, 1.0),
        (1, "1"),
        ("a", mark_safe("a")),
        (0.0, -0.0),
        ((1,), (True,)),
    ],
)
def test_what_is_equal_and_not_the_same_has_an_entry_of_its_own(one: object, other: object) -> None:
    assert [describe(one), describe(other)] == [describe.fresh(one), describe.fresh(other)]
    assert describe.call(one).digest != describe.call(other).digest


def test_arguments_by_name_are_not_taken_for_others() -> None:
    assert [join("o", "n"), join("o", second="n"), join(first="n", second="o")] == [
        "on",
        "on",
        "no",
    ]
    assert join.call("a", "b").digest == join.call("a", second="b").digest


def test_a_batch_takes_arguments_in_any_sequence() -> None:
    assert join.many([["x", "y"], ("x",)]) == ["xy", "x-"]  # type: ignore[list-item]


def test_tags_that_a_function_makes_are_made_for_each_call() -> None:
    made: list[int] = []

    def tags(number: int) -> list[str]:
        made.append(number)
        return [f"thing:{len(made)}"]

    @caching.cached(timeout=MINUTE, tags=tags)
    def load(number: int) -> int:
        return number

    assert [load.call(1).tags, load.call(1).tags] == [("thing:1",), ("thing:2",)]


def test_only_so_many_calls_are_kept() -> None:
    for number in range(functions.KNOWN_CALLS + 100):
        describe.call(number)

    assert functions._known_call.cache_info().currsize == functions.KNOWN_CALLS


def test_long_arguments_are_not_kept() -> None:
    before = functions._known_call.cache_info().currsize

    describe.call("x" * 101)
    describe.call(("x",))
    join.call("a", second="x" * 101)

    assert functions._known_call.cache_info().currsize == before


def test_a_call_that_is_kept_lives_where_the_settings_say(settings: Settings) -> None:
    call = describe.call(7)
    before = place(call, engine()).key

    settings.CACHING = {**settings.CACHING, "PREFIX": "other"}

    assert place(call, engine()).keys[0].startswith("other:")
    assert before != place(call, engine()).key
