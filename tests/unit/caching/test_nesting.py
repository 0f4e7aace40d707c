"""Entries built from entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps import caching
from apps.caching import memo
from apps.caching.stats import counted

MINUTES = timedelta(minutes=5)
names = {1: "Ada", 2: "Ben"}


@caching.cached(timeout=MINUTES, tags=["user:{pk}"])
def get_name(pk: int) -> str:
    return names[pk]


@caching.cached(timeout=MINUTES, tags=["user:{pk}", "greetings"])
def greet(pk: int) -> str:
    return f"Hello {get_name(pk)}"


@caching.cached(timeout=MINUTES, tags=["greetings"])
def greet_all() -> list[str]:
    return [greet(pk) for pk in sorted(names)]


@caching.cached(timeout=MINUTES, tags=["greetings"])
def count_letters() -> int:
    return sum(map(len, greet_all()))


def find_names(pks: object) -> dict[int, str]:
    return {pk: get_name(pk) for pk in names}


@caching.cached(timeout=MINUTES, tags=["user:{pk}"], bulk=find_names)
def find_name(pk: int) -> str:
    return get_name(pk)


@pytest.fixture(autouse=True)
def _names() -> None:
    names.update({1: "Ada", 2: "Ben"})


def stores(function: Any) -> float:
    return counted().get(function.name, {}).get("stores", 0)


def test_an_entry_may_use_one_whose_tags_it_has() -> None:
    greet(1)
    greet(1)

    assert stores(greet) == 1

    names[1] = "Eve"
    caching.invalidate("user:1")
    assert greet(1) == "Hello Eve"


def test_what_it_lacks_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    from apps.caching import keeping

    keeping._said.clear()
    greet_all()
    greet_all()

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "greet_all" in record.getMessage()
    assert "user:1, user:2" in record.getMessage()
    assert stores(greet_all) == 0


def test_the_inner_entries_are_stored_all_the_same() -> None:
    greet_all()

    assert stores(greet) == stores(get_name) == 2


def test_a_hit_inside_counts_as_much_as_a_computation() -> None:
    greet(1)
    greet(2)

    greet_all()

    assert stores(greet_all) == 0


def test_a_batch_may_use_only_what_all_of_it_names() -> None:
    assert find_name.many([(1,), (2,)]) == ["Ada", "Ben"]

    assert stores(find_name) == 0
    assert counted()[find_name.name]["undeclared"] == 1


def test_one_of_a_batch_is_a_single_call() -> None:
    assert find_name.many([(1,)]) == ["Ada"]

    assert stores(find_name) == 1


def test_a_failure_inside_ends_the_watch() -> None:
    del names[2]
    with pytest.raises(KeyError):
        greet(2)

    get_name(1)
    greet(1)

    assert stores(greet) == 1


def test_the_request_is_remembered_again_after_a_computation() -> None:
    with memo.remembering():
        greet(1)
        assert memo.is_active()


def test_what_the_inner_entry_hides_the_outer_one_may_not_hide_either() -> None:
    assert count_letters() == len("Hello Ada") + len("Hello Ben")
    assert stores(count_letters) == 0

    names[1] = "Adelaide"
    caching.invalidate("user:1")
    assert count_letters() == len("Hello Adelaide") + len("Hello Ben")
