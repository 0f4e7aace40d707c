"""docs/configuration.md and .env.example say what project/settings.py reads, and nothing else."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import ROOT, parse

SETTINGS = ROOT / "project" / "settings.py"


def variables() -> dict[str, ast.Call]:
    """Return every environment variable that the settings read, with the call that reads it."""
    return {
        node.args[0].value: node
        for node in ast.walk(parse(SETTINGS))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def documented() -> set[str]:
    """Return the variables that have a row in the tables of docs/configuration.md."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", text, flags=re.MULTILINE))


def in_example() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


# Read by `make up` before Django is there, and by compose.yaml.
STACK_ONLY = {"PORT", "POSTGRES_PASSWORD"}


def test_the_settings_are_found() -> None:
    assert {"DEBUG", "SECRET_KEY", "DATABASE_URL", "CACHE_URL"} <= set(variables())


def test_every_variable_is_documented_and_no_other() -> None:
    assert documented() - STACK_ONLY == set(variables())


def test_the_example_names_every_variable_and_no_other() -> None:
    assert in_example() - STACK_ONLY == set(variables())


def test_no_variable_is_needed_for_development() -> None:
    without = [
        name
        for name, call in variables().items()
        if not any(keyword.arg == "default" for keyword in call.keywords)
    ]

    assert without == []
