"""One vocabulary of file names: a newcomer guesses where a thing is."""

from __future__ import annotations

import ast
import importlib

import pytest

from tests.architecture.tree import ROOT, name_of, parse, python_files, tracked

WORDS = {
    "__init__",
    "admin",
    "apps",
    "checks",
    "delivery",
    "exceptions",
    "forms",
    "models",
    "processing",
    "rendering",
    "selectors",
    "services",
    "tasks",
    "urls",
    "validators",
    "views",
    "widgets",
}
FOLDERS = {"management", "migrations", "templatetags"}
# Layers that could be packages of their own name their files by the idea in each.
REUSABLE = {"caching", "messaging", "thumbnails", "live"}
# A word that a framework asks for, and why.
EXTRA: dict[str, str] = {
    "apps/accounts/adapter.py": "allauth asks for an adapter",
    "apps/operations/middleware.py": "Django's own word",
    "apps/operations/demo": "the people of the demo, their words and their pictures",
}
NEVER = {"utils", "helpers", "common", "core", "signals", "managers", "misc", "base"}


def app_files() -> list[tuple[str, str]]:
    """Return (app, path inside the app) of each Python file of the apps."""
    found = []
    for path in python_files("apps"):
        parts = path.relative_to(ROOT / "apps").parts
        if len(parts) > 1:
            found.append((parts[0], "/".join(parts[1:])))
    return found


def test_an_app_uses_the_words_of_the_house() -> None:
    strangers = [
        f"apps/{app}/{inner}"
        for app, inner in app_files()
        if app not in REUSABLE
        and inner.split("/")[0] not in FOLDERS
        and inner.split("/")[0].removesuffix(".py") not in WORDS
        and f"apps/{app}/{inner.split('/')[0]}" not in EXTRA
    ]

    assert strangers == []


def test_no_drawer_for_everything() -> None:
    drawers = [
        name_of(path)
        for path in python_files("apps", "project", "devstack", "tests")
        if path.stem in NEVER or NEVER & set(path.relative_to(ROOT).parts[:-1])
    ]

    assert drawers == []


APPS = sorted(path.parent.name for path in (ROOT / "apps").glob("*/__init__.py"))


@pytest.mark.parametrize("app", APPS)
def test_every_app_has_content(app: str) -> None:
    files = [inner for name, inner in app_files() if name == app]

    assert set(files) - {"__init__.py", "apps.py"}, f"apps/{app} is an empty shell"


# The front doors of the reusable layers, and the doors inside them.
DOORS = ["caching", "caching.stores", "caching.testing", "messaging"]


@pytest.mark.parametrize("layer", DOORS)
def test_a_door_lists_what_it_opens(layer: str) -> None:
    module = importlib.import_module(f"apps.{layer}")
    tree = parse(ROOT.joinpath("apps", *layer.split("."), "__init__.py"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)  # some doors open late: `if TYPE_CHECKING`
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}

    assert {name for name in imported | defined if not name.startswith("_")} == set(module.__all__)


def test_no_task_runs_eagerly() -> None:
    eager = [
        name_of(path)
        for path in tracked("*.py")
        if "test_vocabulary" not in path.name
        and "TASK_ALWAYS_EAGER" in path.read_text(encoding="utf-8").upper()
    ]

    assert eager == []


def test_every_test_is_a_sentence() -> None:
    short = [
        f"{name_of(path)}:{node.name}"
        for path in python_files("tests")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 3
    ]

    assert short == []


def test_no_test_sleeps() -> None:
    sleepers = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("tests")
        if path.name != "wait.py"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    ]

    assert sleepers == []
