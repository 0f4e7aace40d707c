"""Filling the cache before visitors come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps import caching
from apps.caching import reporting
from apps.caching.prefill import prefills
from tests.support.caching import Flaky, serving

MINUTE = timedelta(minutes=1)
computed: list[int] = []


@caching.cached(timeout=MINUTE, tags=["things"])
def double(number: int) -> int:
    computed.append(number)
    return 2 * number


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = dict(prefills)
    prefills.clear()
    computed.clear()
    monkeypatch.setattr(reporting, "_place", None)
    monkeypatch.setattr(reporting, "_reporter", None)
    yield
    prefills.clear()
    prefills.update(known)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def doubles() -> Iterator[caching.Call[Any]]:
    yield double.call(1)
    yield double.call(2)


def test_what_a_prefill_names_is_there_for_the_first_visitor() -> None:
    caching.prefill(doubles)

    said = run("prefill_cache")

    assert "test_prefill_cache.doubles: 2 in" in said
    assert (double(1), double(2)) == (2, 4)
    assert computed == [1, 2]


def test_a_prefill_rewrites_what_is_there() -> None:
    caching.prefill(doubles)
    double(1)

    run("prefill_cache")

    assert computed == [1, 1, 2]


def test_a_prefill_speaks_json() -> None:
    caching.prefill(doubles)

    (report,) = json.loads(run("prefill_cache", "--json"))

    assert report["name"].endswith("test_prefill_cache.doubles")
    assert report["entries"] == 2
    assert report["seconds"] >= 0


def test_what_cannot_be_computed_does_not_keep_the_rest_cold() -> None:
    @caching.cached(timeout=MINUTE)
    def divide(number: int) -> float:
        return 1 / number

    def mixed() -> Iterator[caching.Call[Any]]:
        yield divide.call(0)
        yield double.call(2)

    caching.prefill(mixed)

    with pytest.raises(CommandError, match="1 entries"):
        run("prefill_cache")
    assert computed == [2]


def test_a_prefill_without_a_cache_computes_and_ends() -> None:
    caching.prefill(doubles)
    store = Flaky("memory://flaky")
    store.away = True

    with serving(store):
        run("prefill_cache")

    assert computed == [1, 2]
