"""What an operator types: fill the cache, look at what it did."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps import caching
from apps.caching import reporting
from apps.caching.engine import engine
from apps.caching.prefill import prefills
from apps.caching.stores import Item
from tests.support.caching import Flaky, serving, trace
from tests.support.wait import wait_until

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

    assert "test_commands.doubles: 2 in" in said
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

    assert report["name"].endswith("test_commands.doubles")
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


def test_the_counts_of_every_process_are_added_up() -> None:
    double(1)
    double(1)
    reporting.report_now()
    other = reporting.Report("elsewhere:1", {double.name: {"hits": 10, "computations": 1}})
    key = engine().keys.report((os.getpid() + 1) % reporting.PLACES)  # not our own place
    engine().servers.place(key).put([Item(key, msgspec.json.encode(other), 60)])

    said = json.loads(run("cache_stats", "--json"))

    assert len(said["processes"]) == 2
    assert said["functions"][double.name]["hits"] == 11
    assert said["functions"][double.name]["computations"] == 2
    assert set(said["servers"].values()) == {True}


def test_a_process_rewrites_its_own_place() -> None:
    reporting.report_now()
    double(1)
    reporting.report_now()

    (report,) = reporting.collect()

    assert report.counted[double.name]["computations"] == 1


def test_a_damaged_report_is_passed_over() -> None:
    key = engine().keys.report(3)
    engine().servers.place(key).put([Item(key, b"{", 60)])

    assert reporting.collect() == []


def test_the_counts_are_a_table_for_people() -> None:
    double(1)
    double(1)
    caching.invalidate("things")
    double(1)
    reporting.report_now()

    said = run("cache_stats")

    assert "1 processes reported" in said
    (row,) = [line.split() for line in said.splitlines() if "test_commands.double" in line]
    assert row[1:5] == ["1", "2", "33.3", "2"]


def test_a_server_that_is_away_is_named() -> None:
    store = Flaky("memory://flaky")
    store.away = True

    with serving(store):
        said = run("cache_stats")

    assert "memory://flaky is away" in said
    assert "0 processes reported" in said


def test_a_process_reports_by_itself(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "REPORT_SECONDS": 0.05}

    double(1)

    wait_until(
        lambda: any(double.name in report.counted for report in reporting.collect()), seconds=5
    )
    settings.CACHING = {**settings.CACHING, "REPORT_SECONDS": 0}
    _, thread = reporting._reporter or (0, None)
    assert thread is not None
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_a_page_does_not_wait_for_statistics() -> None:
    double(1)

    with trace() as seen:
        double(1)

    assert len(seen.trips) == 1
