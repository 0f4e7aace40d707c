"""Nothing that is stored or sent can run code when it is read: no pickle, anywhere in the tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.tree import ROOT, name_of, parse, python_files, tracked

# Modules that make code of bytes, or objects of any class.
UNSAFE = {
    "_pickle", "cPickle", "cloudpickle", "dbm", "dill", "joblib", "jsonpickle", "marshal",
    "pickle", "pickletools", "shelve",
}  # fmt: skip
OURS = ("apps", "project", "devstack", "benchmarks", "tests")
SERIALIZERS = ("CELERY_TASK_SERIALIZER", "CELERY_RESULT_SERIALIZER", "CELERY_EVENT_SERIALIZER")


def modules(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every module that a file imports, by a statement or by `import_module("…")`."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"}:
            yield from ((node.lineno, str(word)) for word in _texts(node))


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def test_no_file_imports_pickle_or_its_like() -> None:
    users = [
        f"{name_of(path)}:{line}"
        for path in python_files(*OURS)
        for line, module in modules(path)
        if module.split(".")[0] in UNSAFE
    ]

    assert users == []


def test_no_setting_asks_for_a_pickle_serializer() -> None:
    """By name or by class: "pickle", PickleSerializer, pickle_protocol, `yaml` of any object."""
    named = [
        f"{name_of(path)}: {text}"
        for path in python_files("apps", "project", "devstack")
        for text in _texts(parse(path))
        if "pickle" in text.lower() and "\n" not in text and " " not in text
    ]
    files = [
        name_of(path)
        for pattern in ("*.yaml", "*.yml", "*.toml", ".env.example", "Dockerfile")
        for path in tracked(pattern)
        if "pickle" in path.read_text(encoding="utf-8").lower()
    ]

    assert named == []
    assert files == []


@pytest.mark.parametrize("name", SERIALIZERS)
def test_celery_speaks_json(name: str) -> None:
    assert getattr(settings, name, "json") == "json"
    assert set(settings.CELERY_ACCEPT_CONTENT) == {"json"}


def test_sessions_are_json() -> None:
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text(
        'import pickle\nfrom marshal import loads\nimportlib.import_module("shelve")\nimport json\n'
    )

    found = [module for _, module in modules(file)]

    assert sorted(found) == ["json", "marshal", "pickle", "shelve"]
    assert ROOT not in file.parents
