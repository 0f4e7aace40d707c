"""Templates keep to the strict Content-Security-Policy, and name only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import engines
from django.template.loader import get_template

from apps import caching
from apps.caching.widgets import find_widget
from tests.architecture.tree import ROOT, name_of, tracked

# Letters are read by mail programs, which know no style sheet of ours.
LETTERS = ROOT / "templates" / "mail"
TEMPLATES = [path for path in tracked("templates/*.html") if path.parent != LETTERS]
COMMENT = re.compile(
    r"{#.*?#}|{%\s*comment\b.*?%}.*?{%\s*endcomment\s*%}|<!--.*?-->", flags=re.DOTALL
)
FORBIDDEN = {
    "a style attribute": r"<[^>]*\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script\b(?![^>]*\bsrc=)(?![^>]*type=.application/(ld\+)?json)",
    "an event handler": r"<[^>]*\son[a-z]+\s*=",
    "a script address": r"=\s*[\"']\s*javascript:",
    "an asset of another site": (
        r"<(link|script|img|source|iframe|video|use)\b[^>]*(src|href|srcset)\s*=\s*[\"']?(https?:)?//"
    ),
}


def source(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def named(pattern: str) -> dict[str, set[str]]:
    """Return what the pattern finds in all templates, with the templates that name it."""
    found: dict[str, set[str]] = {}
    for path in TEMPLATES:
        for name in re.findall(pattern, source(path)):
            found.setdefault(name, set()).add(name_of(path))
    return found


def test_the_templates_are_found() -> None:
    assert ROOT / "templates" / "base.html" in TEMPLATES


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_breaks_the_content_security_policy(what: str) -> None:
    breaking = [
        f"{name_of(path)}: {match.group()[:80]}"
        for path in TEMPLATES
        for match in re.finditer(FORBIDDEN[what], source(path), flags=re.IGNORECASE)
    ]

    assert breaking == [], f"templates with {what}"


def test_the_patterns_see_what_they_forbid() -> None:
    samples = {
        "a style attribute": '<p class="x" style="color: red">',
        "a style element": "<style>",
        "an inline script": '<script type="module">',
        "an event handler": '<button type="button" onclick="go()">',
        "a script address": '<a href="javascript:go()">',
        "an asset of another site": '<img alt="" src="https://elsewhere.example/x.png">',
    }

    assert samples.keys() == FORBIDDEN.keys()
    assert all(re.search(FORBIDDEN[what], text) for what, text in samples.items())
    assert not re.search(FORBIDDEN["an inline script"], '<script type="module" src="x.js">')
    assert not re.search(FORBIDDEN["an asset of another site"], '<a href="https://x.example/">')


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_compiles_and_finds_what_it_includes(path: Path) -> None:
    template = engines["django"].from_string(path.read_text(encoding="utf-8"))

    assert template is not None
    for name in re.findall(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)[\"']", source(path)):
        get_template(name)


def test_every_widget_named_in_a_template_exists() -> None:
    missing = {}
    for name, users in named(r"{%\s*widgets?\s+[\"']([^\"']+)[\"']").items():
        try:
            find_widget(name)
        except caching.UnknownWidget:
            missing[name] = users

    assert missing == {}


def test_every_static_file_named_in_a_template_exists() -> None:
    names = named(r"{%\s*static\s+[\"']([^\"'{]+)[\"']")

    missing = {
        name: users
        for name, users in names.items()
        if not name.startswith("admin/") and not (ROOT / "static" / name).is_file()
    }

    assert missing == {}


def test_every_class_in_a_template_is_in_a_style_sheet() -> None:
    sheets = "".join(path.read_text(encoding="utf-8") for path in tracked("static/css/*.css"))
    known = set(re.findall(r"\.([a-z][a-z0-9-]*)", sheets))
    used: dict[str, set[str]] = {}
    for path in TEMPLATES:
        text = re.sub(r"{[{%].*?[%}]}", "{}", source(path))
        for value in re.findall(r"\sclass=\"([^\"]*)\"", text):
            for name in value.split():
                if "{}" not in name:
                    used.setdefault(name, set()).add(name_of(path))

    assert {name: users for name, users in used.items() if name not in known} == {}
