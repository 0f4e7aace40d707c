"""The layers that could be packages of their own know nothing of this site."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import global_settings

from tests.architecture.tree import ROOT, name_of, parse, tracked

# What this site is about. Whole words, in code, comments and docstrings alike.
DOMAIN = re.compile(
    r"(?<![a-z])(safelight|photos?|photographers?|pictures?|albums?|avatars?|renditions?|"
    r"uploads?|uploaded|thumbnails?|followers?|likes|liked|accounts?|sign.?ups?)(?![a-z])",
    re.IGNORECASE,
)
FILES = [path for path in tracked("apps/caching/*") if path.suffix in {".py", ".html", ".txt"}]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_cache_has_no_words_of_the_domain(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert DOMAIN.findall(text) == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".py"], ids=name_of)
def test_the_cache_imports_no_app_but_the_layer_below(path: Path) -> None:
    imported = {
        name.removeprefix("apps.").partition(".")[0]
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _modules(node)
        if name.startswith(("apps", "project"))
    }

    assert imported <= {"caching", "messaging"}


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.module == "apps":
        return [f"apps.{alias.name}" for alias in node.names]
    return [node.module or ""]


def test_the_cache_reads_no_setting_of_ours() -> None:
    """Its own, and those of Django that every project has."""
    read = {
        node.attr
        for path in FILES
        if path.suffix == ".py"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    }

    assert {name for name in read if name.isupper() and not hasattr(global_settings, name)} == {
        "CACHING"
    }


def test_the_words_are_found_where_they_are() -> None:
    assert DOMAIN.findall("photo:{photo_id} of an Avatar") == ["photo", "photo", "Avatar"]
    assert DOMAIN.findall("telephoto is unlike photoelectric") == []
    assert (ROOT / "apps" / "caching").is_dir()
