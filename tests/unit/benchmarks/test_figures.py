"""The benchmarks tell the truth: ratios, verdicts and counts on series that are known."""

from __future__ import annotations

import json
import math

import pytest

from benchmarks.bench_races import count_stale
from benchmarks.bench_stampede import bursts
from benchmarks.interleaved import measure, percentile, ratio
from benchmarks.tables import Report, Target, markdown

WON = {
    "A": "ok",
    "B": "ok",
    "C: own write / left after rollback": "seen / none",
    "D": "ok",
    "E": "ok",
    "F": "-",
    "G": "ok, 1.5 s",
    "H": "ok",
}


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was ten times slower in the last round, for both.
    found = ratio([2.0, 2.0, 20.0], [1.0, 1.0, 10.0])

    assert (found.low, found.median, found.high) == (2.0, 2.0, 2.0)


def test_one_round_has_no_quartiles() -> None:
    found = ratio([3.0], [2.0])

    assert (found.low, found.median, found.high) == (1.5, 1.5, 1.5)


def test_every_contender_has_its_turn_in_every_round() -> None:
    calls: list[str] = []

    async def awaited() -> None:
        calls.append("awaited")

    found = measure(
        {"floor": lambda: calls.append("floor"), "awaited": awaited},
        floor="floor",
        rounds=3,
        calls=4,
    )

    assert set(found) == {"floor", "awaited"}
    assert calls.count("floor") == calls.count("awaited") == 2 + 3 * 4
    assert found["floor"].median == 1.0


def test_a_percentile_of_few_values_is_one_of_them() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([1.0], 0.5) == 1.0


@pytest.mark.parametrize(
    ("wanted", "measured", "verdict"),
    [
        (1.5, 1.5, "met"),
        (2.0, 3.0, "missed by 50%"),
        (0, 0, "met"),
        (0, 2, "missed by 2"),
        (1, math.inf, "missed by inf%"),
    ],
)
def test_a_target_is_met_or_missed_by_so_much(wanted: float, measured: float, verdict: str) -> None:
    assert Target(what="anything", wanted=wanted, measured=measured).verdict == verdict


def test_computations_that_begin_together_are_of_one_expiry() -> None:
    assert bursts([1.0, 1.01, 1.1, 2.3, 3.5, 3.6]) == [3, 1, 2]
    assert bursts([]) == []


def test_a_race_that_is_lost_is_counted() -> None:
    assert count_stale(WON) == 0
    assert count_stale(WON | {"A": "**S**", "G": "**S**, raises ConnectionError"}) == 2
    assert count_stale(WON | {"C: own write / left after rollback": "seen / **phantom**"}) == 1


def test_a_race_that_did_not_run_is_not_won() -> None:
    assert count_stale({"A": "does not end within 60 s"}) == 8


def test_a_table_is_markdown() -> None:
    assert markdown([{"way": "ours", "µs": 7}]) == "| way | µs |\n|---|---|\n| ours | 7 |"


def test_a_report_is_read_by_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(tables={"Hits": [{"way": "ours", "ratio": 1.2}]}, notes=["NOT MEASURED"])
    report.targets.append(Target(what="a hit", wanted=1.0, measured=1.2))

    report.show(as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert told["tables"]["Hits"] == [{"way": "ours", "ratio": 1.2}]
    assert told["targets"][0]["verdict"] == "missed by 20%"
    assert told["notes"] == ["NOT MEASURED"]
