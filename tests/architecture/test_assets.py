"""What the browser loads: small, ours, and unchanged where it is somebody else's."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, name_of, tracked

SCRIPT_BYTES = 32 * 1024
# Loaded by one page, which only the owner of a photo sees.
EDITOR_BYTES = 8 * 1024
STYLE_BYTES = 60 * 1024
OWN_SCRIPTS = list(tracked("static/js/*.js"))
EDITOR = ROOT / "static" / "js" / "edit.js"
OWN_SHEETS = list(tracked("static/css/*.css"))
VENDORS = [ROOT / "static" / "vendor", ROOT / "tests" / "browser" / "vendor"]


def weight(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def test_our_scripts_are_light() -> None:
    assert 0 < weight([path for path in OWN_SCRIPTS if path != EDITOR]) <= SCRIPT_BYTES


def test_the_editor_is_light_and_burdens_no_other_page() -> None:
    loading = [
        name_of(page)
        for page in tracked("templates/*.html")
        if "js/edit.js" in page.read_text(encoding="utf-8")
    ]

    assert 0 < weight([EDITOR]) <= EDITOR_BYTES
    assert loading == ["templates/photos/edit.html"]


def test_our_style_sheets_are_light() -> None:
    assert 0 < weight(OWN_SHEETS) <= STYLE_BYTES


@pytest.mark.parametrize("path", OWN_SHEETS, ids=name_of)
def test_a_style_sheet_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"@import|https?://|url\(\s*[\"']?//", text) == []


@pytest.mark.parametrize("path", OWN_SHEETS, ids=name_of)
def test_a_style_sheet_uses_only_tokens_that_exist(path: Path) -> None:
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in OWN_SHEETS)
    defined = set(re.findall(r"(--[a-z0-9-]+)\s*:", sheets))
    # A name with a fallback may be missing.
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", path.read_text(encoding="utf-8")))

    assert used - defined == set()


@pytest.mark.parametrize("path", OWN_SCRIPTS, ids=name_of)
def test_a_script_writes_no_markup_and_runs_no_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []


@pytest.mark.parametrize("folder", VENDORS, ids=name_of)
def test_the_code_of_others_is_what_it_was(folder: Path) -> None:
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.parent != folder
    }
    sums = folder / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []

    assert files == {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def test_the_pictures_of_the_documents_are_light() -> None:
    pictures = tracked("docs/images/*.webp")

    assert len(pictures) >= 5
    assert [name_of(path) for path in pictures if path.stat().st_size > 200 * 1024] == []
