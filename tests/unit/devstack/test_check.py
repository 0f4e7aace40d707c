"""`make check` names what it checks, and says what failed and why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devstack import check
from devstack.check import Check
from devstack.processes import ROOT


def test_every_check_has_a_name_of_its_own() -> None:
    names = [found.name for found in check.checks(ROOT)]

    assert len(names) == len(set(names))


def test_every_tool_is_in_the_virtual_environment() -> None:
    missing = [
        found.command[0]
        for found in check.checks(ROOT)
        if not (check.BIN / found.command[0]).exists()
    ]

    assert missing == []


def test_files_that_do_not_exist_are_not_checked(tmp_path: Path) -> None:
    found = {each.name: each for each in check.checks(tmp_path)}

    assert not found["compose"].files
    assert not found["dockerfile"].files
    assert found["types"].files is None


def test_a_check_passes_and_fails_with_its_command() -> None:
    good = check.run(Check(name="good", command=("python", "-c", "print('fine')")))
    bad = check.run(Check(name="bad", command=("python", "-c", "raise SystemExit('why')")))

    assert (good.passed, good.output) == (True, "fine")
    assert (bad.passed, bad.output) == (False, "why")


def test_a_check_is_given_its_files() -> None:
    program = "import sys; print(sys.argv[1:])"

    verdict = check.run(
        Check(name="files", command=("python", "-c", program), files=("a b.yaml", "c.yaml"))
    )

    assert verdict.output == "['a b.yaml', 'c.yaml']"


def test_variables_of_the_developer_do_not_reach_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "nonsense")
    program = "import os; print(os.environ.get('DEBUG'), repr(os.environ.get('ENV_FILES')))"

    verdict = check.run(Check(name="variables", command=("python", "-c", program)))

    assert verdict.output == "None ''"


def test_only_the_named_checks_run(capsys: pytest.CaptureFixture[str]) -> None:
    code = check.main(["locks"])

    out = capsys.readouterr().out
    assert code == 0
    assert "1 of 1 checks passed" in out


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["locks", "lokcs"]) == 2
    assert "There is no check lokcs." in capsys.readouterr().err


def test_a_failed_check_shows_what_it_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = Check(name="failing", command=("python", "-c", "print('line 7: no'); exit(3)"))
    monkeypatch.setattr(check, "checks", lambda root: [failing])

    code = check.main([])

    out = capsys.readouterr().out
    assert code == 1
    assert "failing         FAILED" in out
    assert "--- failing ---\nline 7: no" in out
    assert "0 of 1 checks passed" in out


def test_the_python_of_the_checks_is_ours() -> None:
    verdict = check.run(
        Check(name="python", command=("python", "-c", "import sys; print(sys.prefix)"))
    )

    assert verdict.output == sys.prefix
