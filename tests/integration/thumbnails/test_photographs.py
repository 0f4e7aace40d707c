"""Photographs as cameras really write them.

Four lie in tests/data; where a folder `../shared/images` is beside the clone, those in it too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from apps import thumbnails
from tests.architecture.tree import ROOT
from tests.support import pictures
from tests.support.darkroom import develop, sizes

DATA = ROOT / "tests" / "data"
MORE = ROOT.parent / "shared" / "images"
SUFFIXES = {".jpg", ".heic", ".heif", ".avif"}
PHOTOGRAPHS = [
    path for folder in (DATA, MORE) for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES
]


# Make, model, exposure, and the size as it should be seen.
TOLD = {
    "nikon_small_gps.jpg": ("NIKON", "COOLPIX P6000", "1/75", (640, 480)),
    "iphonexs_gps_orientation6.avif": ("Apple", "iPhone XS", "1/121", (3024, 4032)),
    "nokia_16mp_gps.heif": (None, None, "1/125", (4608, 3456)),
}


@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: path.name)
def test_a_photograph_is_developed_without_a_trace_of_its_maker(path: Path, tmp_path: Path) -> None:
    first, developed = develop(path.read_bytes(), tmp_path)

    assert max(sizes(developed)["640"]) == min(640, max(developed.width, developed.height))
    for rendition in developed.renditions:
        assert rendition.path
        data = rendition.path.read_bytes()
        assert b"exif" not in data[:2048].lower()
        assert pictures.read(data).size == (rendition.width, rendition.height)
    if path.name in TOLD:
        assert first.camera
        told = (first.camera.make, first.camera.model, first.camera.exposure)
        assert (*told, (first.width, first.height)) == TOLD[path.name]


def test_a_portrait_held_by_its_orientation_stands(tmp_path: Path) -> None:
    first, _ = develop((DATA / "Portrait_8.jpg").read_bytes(), tmp_path)

    assert (first.width, first.height) == (1200, 1800)
    assert pictures.read(tmp_path / "640.jpg").size == (427, 640)


def test_every_photograph_kept_here_has_a_licence() -> None:
    licences = (DATA / "LICENCES.md").read_text(encoding="utf-8")
    files = [path for path in DATA.iterdir() if path.suffix in SUFFIXES]

    assert len(files) == 4
    assert all(f"| {path.name} |" in licences for path in files)
    assert sum(path.stat().st_size for path in files) < 1_500_000


def test_a_photograph_of_twenty_megapixels_takes_little_memory(tmp_path: Path) -> None:
    """A tenth of what its pixels would take: it is never in memory as a whole."""
    original = pictures.make_picture(size=(5472, 3648), quality=85)

    steps = develop(original, tmp_path, memory=250 * 1024 * 1024)

    assert isinstance(steps[-1], thumbnails.Developed)
