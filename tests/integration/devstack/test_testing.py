"""`make test` runs every tier and says how each went."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from devstack import testing
from devstack.processes import ROOT
from devstack.testing import Result, Tier

UNIT = Tier(name="unit", folders=("tests/unit",), marks="not integration")


def a_result(code: int = 0, **counts: int) -> Result:
    return Result(tier=UNIT, code=code, counts=Counter(counts), seconds=1.5)


def test_every_folder_of_tests_belongs_to_a_tier() -> None:
    here = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and list(path.rglob("test_*.py"))
    }

    assert here <= {folder for tier in testing.TIERS for folder in tier.folders}


def test_a_line_of_the_summary_counts() -> None:
    line = testing.line(a_result(passed=12, skipped=1))

    assert line.split() == ["unit", "12", "passed", "0", "failed", "1", "skipped", "1.5", "s"]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_whatever_pytest_did_not_like_is_a_failure(code: int) -> None:
    result = a_result(code)

    assert not result.passed
    assert testing.line(result).endswith(f"FAILED (pytest ended with {code})")


def test_that_nothing_was_chosen_is_no_failure() -> None:
    assert a_result(testing.NO_TESTS).passed


def test_counts_come_from_the_report_of_pytest(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    report.write_text(
        '<testsuites><testsuite name="pytest" tests="9" failures="1" errors="1" skipped="2"'
        ' time="3.25"></testsuite></testsuites>'
    )

    counts, seconds = testing._read(report)

    assert counts == Counter(passed=5, failed=2, skipped=2)
    assert seconds == 3.25


def test_a_run_that_died_counts_nothing(tmp_path: Path) -> None:
    assert testing._read(tmp_path / "none.xml") == (Counter(), 0.0)


def test_a_tier_without_any_of_the_named_paths_is_left_out(tmp_path: Path) -> None:
    assert testing.run(UNIT, ["tests/integration", "-x"], tmp_path / "unit.xml") is None


def test_a_tier_runs_the_paths_and_options_it_is_given(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = "tests/unit/devstack/test_locks.py::test_locks_in_step_have_no_difference"

    result = testing.run(UNIT, [path, "-p", "no:randomly"], tmp_path / "unit.xml")

    assert result is not None
    assert result.passed
    assert result.counts == Counter(passed=1)
    assert "=== unit ===" in capfd.readouterr().out
