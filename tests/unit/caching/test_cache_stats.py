"""What was counted, by whom, and what it means."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps import caching
from apps.caching import reporting
from apps.caching.engine import engine
from apps.caching.figures import figures
from apps.caching.models import Undelivered
from apps.caching.reporting import Report, since
from apps.caching.stats import counted, counted_on
from apps.caching.stores import Item
from apps.caching.sweeping import sweep
from tests.support.caching import Flaky, serving, trace
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["things"])
def double(number: int) -> int:
    return 2 * number


@caching.cached(timeout=MINUTE)
def divide(number: int) -> float:
    return 1 / number


@pytest.fixture(autouse=True)
def _no_place_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_place", None)
    monkeypatch.setattr(reporting, "_reporter", None)


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    store = Flaky("memory://flaky")
    with serving(store) as servers:
        yield store
        store.away = False
        servers.close()


def run(*words: str) -> str:
    out = StringIO()
    call_command("cache_stats", *words, stdout=out)
    return out.getvalue()


def report_of_another(report: Report) -> None:
    key = engine().keys.report((os.getpid() + 1) % reporting.PLACES)  # not our own place
    engine().servers.place(key).put([Item(key, msgspec.json.encode(report), 60)])


# --- Reports -------------------------------------------------------------------------------------


def test_the_counts_of_every_process_are_added_up() -> None:
    double(1)
    double(1)
    reporting.report_now()
    report_of_another(Report("elsewhere:1", {double.name: {"hits": 10, "computations": 1}}))

    said = json.loads(run("--json"))

    assert len(said["processes"]) == 2
    assert said["functions"][double.name]["hits"] == 11
    assert said["functions"][double.name]["computations"] == 2
    assert [server["answers"] for server in said["servers"].values()] == [True]


def test_a_process_rewrites_its_own_place() -> None:
    reporting.report_now()
    double(1)
    reporting.report_now()

    (report,) = reporting.collect()

    assert report.counted[double.name]["computations"] == 1


@pytest.mark.parametrize("raw", [b"{", b'{"process": 1}'])
def test_a_damaged_report_is_passed_over(raw: bytes) -> None:
    key = engine().keys.report(3)
    engine().servers.place(key).put([Item(key, raw, 60)])

    assert reporting.collect() == []


def test_a_report_of_an_older_release_is_read() -> None:
    key = engine().keys.report(3)
    raw = b'{"process": "old:1", "counted": {"f": {"hits": 3}}}'
    engine().servers.place(key).put([Item(key, raw, 60)])

    assert reporting.collect() == [Report("old:1", {"f": {"hits": 3}})]
    assert json.loads(run("--json"))["functions"]["f"]["hits"] == 3


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


# --- Figures -------------------------------------------------------------------------------------


def test_what_hits_saved_is_what_they_would_have_taken() -> None:
    one = figures({"hits": 30, "stale": 10, "computations": 4, "seconds_computing": 2.0})

    assert one.mean_seconds == 0.5
    assert one.seconds_saved == 20.0


def test_what_was_never_computed_here_saved_nobody_knows_how_much() -> None:
    one = figures({"hits": 30})

    assert one.mean_seconds is None
    assert one.seconds_saved is None
    assert one.hit_ratio == 1


def test_misses_are_told_by_cause_and_a_bypass_is_none() -> None:
    one = figures(
        {"hits": 1, "misses_absent": 1, "misses_outdated": 1, "misses_away": 1, "bypassed": 9}
    )

    assert (one.absent, one.outdated, one.unreadable, one.away) == (1, 1, 0, 1)
    assert one.misses == 3
    assert one.hit_ratio == 0.25
    assert one.bypassed == 9


def test_a_function_that_raises_is_counted() -> None:
    with pytest.raises(ZeroDivisionError):
        divide(0)

    assert counted()[divide.name]["raised"] == 1
    assert figures(counted()[divide.name]).raised == 1
    assert "computations" not in counted()[divide.name]


def test_what_is_not_stored_is_counted_together() -> None:
    assert figures({"oversize": 1, "uncacheable": 2, "undeclared": 3}).not_stored == 6


# --- Servers -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_server_is_owed_is_told_of_the_processes_and_of_the_database(
    flaky: Flaky,
) -> None:
    flaky.away = True
    caching.invalidate("things")
    flaky.away = False
    (told,) = reporting._servers().values()

    assert told["owed"] == 1
    assert told["away"] >= 1
    assert Undelivered.objects.get().server == "memory://flaky"
    assert json.loads(run("--json"))["undelivered"]["memory://flaky"]["number"] == 1

    wait_until(lambda: sweep(grace=timedelta(0)) or not Undelivered.objects.exists())
    assert json.loads(run("--json"))["undelivered"] == {}
    assert counted_on()["memory://flaky"]["swept"] >= 1


def test_what_is_owed_to_a_server_now_comes_from_its_report() -> None:
    report_of_another(
        Report("elsewhere:1", {}, {"redis://b": {"owed": 5, "owed_now": 2, "away": 3}})
    )
    out = StringIO()

    with pytest.raises(CommandError, match="redis://b does not answer"):
        call_command("cache_stats", stdout=out)

    (row,) = [line.split() for line in out.getvalue().splitlines() if line.startswith("redis://b")]
    assert row[1:7] == ["is", "away", "3", "0", "5", "2"]


def test_a_refused_item_is_counted(flaky: Flaky) -> None:
    flaky.full = True

    double(1)

    assert counted_on()["memory://flaky"]["refused"] == 1


def test_nothing_is_counted_of_a_server_that_works() -> None:
    double(1)
    double(1)

    assert counted_on() == {}


def test_a_server_that_is_away_is_named_and_ends_with_one(flaky: Flaky) -> None:
    flaky.away = True
    out = StringIO()

    with pytest.raises(CommandError, match="memory://flaky does not answer") as failure:
        call_command("cache_stats", stdout=out)

    assert failure.value.returncode == 1
    assert "is away" in out.getvalue()
    assert "0 processes reported" in out.getvalue()


@pytest.mark.parametrize(("age", "code"), [(10, 0), (100, 1)])
def test_an_invalidation_that_waits_for_long_ends_with_one(age: int, code: int) -> None:
    Undelivered.objects.create(tags=["things"], server="")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE caching_undelivered SET created_at = now() - make_interval(secs => %s)", [age]
        )

    if code:
        with pytest.raises(CommandError, match="does a worker run") as failure:
            run()
        assert failure.value.returncode == code
    else:
        assert "nobody has tried yet" in run()


# --- The command ---------------------------------------------------------------------------------


def test_the_counts_are_tables_for_people() -> None:
    double(1)
    double(1)
    double.forget(1)
    double(1)
    reporting.report_now()

    said = run()

    assert "1 processes reported" in said
    rows = [line.split() for line in said.splitlines() if "test_cache_stats.double" in line]
    assert rows[0][1:8] == ["1", "0", "2", "33.3", "%", "0", "2"]
    assert rows[1][1:5] == ["2", "0", "0", "0"]


def test_only_what_is_counted_from_now_on_may_be_asked_for() -> None:
    double(1)
    reporting.report_now()

    said = json.loads(run("--during", "0.01", "--json"))

    assert said["functions"][double.name]["computations"] == 0
    with pytest.raises(CommandError) as failure:
        run("--during", "0")
    assert failure.value.returncode == 2


def test_the_difference_of_two_reports_is_what_was_counted_between() -> None:
    before = [Report("a:1", {"f": {"hits": 5}}, {"s": {"away": 1, "owed_now": 4}})]
    after = [Report("a:1", {"f": {"hits": 8}, "g": {"hits": 1}}, {"s": {"away": 3, "owed_now": 2}})]

    (one,) = since(before, after)

    assert one.counted == {"f": {"hits": 3}, "g": {"hits": 1}}
    assert one.servers == {"s": {"away": 2, "owed_now": 2}}


@pytest.mark.parametrize(
    "before", [[], [Report("a:1", {"f": {"hits": 50}})], [Report("b:1", {"f": {"hits": 1}})]]
)
def test_a_process_that_began_meanwhile_counts_in_full(before: list[Report]) -> None:
    assert since(before, [Report("a:1", {"f": {"hits": 8}})])[0].counted == {"f": {"hits": 8}}


def test_a_process_that_ended_meanwhile_is_left_out() -> None:
    assert since([Report("a:1", {"f": {"hits": 50}})], []) == []
