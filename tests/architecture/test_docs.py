"""The docs stay true: what they link to exists, and what they call by name does too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, name_of, tracked

PAGES = tracked("*.md")
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)|(?:src|srcset)=\"(?!https?:)([^\"\s]+)\"")


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [first or second for first, second in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_links_to_exists(page: Path) -> None:
    missing = [link for link in links(page) if not (page.parent / link).exists()]

    assert missing == []


def test_the_readme_names_both_commands_and_the_addresses() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    for words in ("make up", "make test", "http://localhost:8000", "/inbox/", "mermaid"):
        assert words in text


def test_every_command_of_the_makefile_has_its_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]+):", makefile, flags=re.MULTILINE)
    helped = re.findall(r"^([a-z][a-z-]+):.*## \w", makefile, flags=re.MULTILINE)

    assert targets == helped


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "app", sorted(path.parent.name for path in (ROOT / "apps").glob("*/apps.py"))
)
def test_every_app_is_on_the_map(app: str) -> None:
    assert f"`{app}/`" in (ROOT / "apps" / "README.md").read_text(encoding="utf-8")


def test_no_page_names_a_machine_or_an_index() -> None:
    words = re.compile(r"/(?:work|root|home/\w+)/|pypi\.org|files\.pythonhosted|registry\.npmjs")
    told = {
        name_of(page): words.findall(page.read_text(encoding="utf-8"))
        for page in [*PAGES, *tracked("requirements*.txt"), *tracked("*.toml"), *tracked("*.yaml")]
    }

    assert {page: found for page, found in told.items() if found} == {}
