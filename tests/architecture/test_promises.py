"""Tests of services run under the fixtures that find what they forget to tell the cache."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, name_of, parse, python_files

FIXTURES = {"nothing_is_stale", "nothing_is_undeclared"}
# A module that calls services of its app without the fixtures, and why that is right.
WITHOUT: dict[str, str] = {}


def tells_the_cache(app: str) -> bool:
    """Say whether a service of this app has anything to tell the cache."""
    files = [ROOT / "apps" / app / "services.py", *(ROOT / "apps" / app).glob("services/*.py")]
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"changed", "invalidate"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "caching"
        for path in files
        if path.is_file()
        for node in ast.walk(parse(path))
    )


APPS = sorted(
    path.parent.name
    for path in (ROOT / "apps").glob("*/__init__.py")
    if tells_the_cache(path.parent.name)
)


def calls_services(path: Path, app: str) -> bool:
    """Say whether a test imports the services of its app."""
    return any(
        node.module == f"apps.{app}.services"
        or (node.module == f"apps.{app}" and "services" in {alias.name for alias in node.names})
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom)
    )


def fixtures_of_all(path: Path) -> set[str]:
    """Return the fixtures that the `pytestmark` of a module names."""
    return {
        node.value
        for statement in parse(path).body
        if isinstance(statement, ast.Assign)
        if any(isinstance(name, ast.Name) and name.id == "pytestmark" for name in statement.targets)
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_apps_that_tell_the_cache_are_found() -> None:
    assert {"accounts", "photos", "social", "webhooks"} <= set(APPS)


@pytest.mark.parametrize("app", APPS)
def test_services_are_tested_under_what_finds_the_stale(app: str) -> None:
    folder = ROOT / "tests" / "unit" / app
    mine = [path for path in python_files("tests") if folder in path.parents]
    tests = [path for path in mine if calls_services(path, app)]
    without = [name_of(path) for path in tests if not fixtures_of_all(path) >= FIXTURES]

    assert tests
    assert [name for name in without if name not in WITHOUT] == []


def test_no_exception_outlives_its_reason() -> None:
    kept = [
        name
        for name in WITHOUT
        if (ROOT / name).is_file()
        if not fixtures_of_all(ROOT / name) >= FIXTURES
        if calls_services(ROOT / name, Path(name).parent.name)
    ]

    assert kept == list(WITHOUT)
