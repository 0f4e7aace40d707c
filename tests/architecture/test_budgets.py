"""The budgets of docs/architecture.md: what keeps the house pleasant to live in."""

from __future__ import annotations

import ast
import statistics

import pytest

from tests.architecture.tree import code_lines, functions, name_of, parse, python_files

CODE = ("apps", "project", "devstack")
FILE_LINES = 400
FUNCTION_LINES = 45
MEDIAN_FUNCTION_LINES = 12
TESTS_PER_CODE = 1.3


def test_no_file_is_too_long_to_read_at_once() -> None:
    long = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(*CODE, "tests", "benchmarks")
    }

    assert {name: lines for name, lines in long.items() if lines > FILE_LINES} == {}


def test_a_function_is_one_idea() -> None:
    lengths = {
        f"{name_of(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in python_files(*CODE)
        for node in functions(path)
    }

    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES


def test_tests_outweigh_the_code() -> None:
    code = sum(code_lines(path) for path in python_files("apps", "project"))
    tests = sum(code_lines(path) for path in python_files("tests"))

    assert tests >= TESTS_PER_CODE * code, f"{tests} lines of tests for {code} of code"


def test_nothing_happens_behind_a_save() -> None:
    overrides = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("apps")
        if path.name == "models.py" or "models" in path.parts
        for node in functions(path)
        if node.name in {"save", "delete"} and node.args.args[:1]
    ]

    assert overrides == []


@pytest.mark.parametrize(
    "banned", ["receiver", "pre_save", "post_save", "pre_delete", "m2m_changed"]
)
def test_no_signal_of_the_models_is_listened_to(banned: str) -> None:
    users = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("apps", "project")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Name) and node.id == banned
    ]

    assert users == []
