"""Develop bytes as a worker develops a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apps import thumbnails
from apps.thumbnails import FirstLight, Recipe

SECONDS = 60
PIXELS = 60_000_000


def develop(original: bytes, folder: Path, **options: Any) -> list[FirstLight]:
    """Return all steps of a picture; the renditions are left in `folder`."""
    source = folder / "original"
    source.write_bytes(original)
    options = {"recipe": Recipe(), "seconds": SECONDS, "pixels": PIXELS, **options}
    return list(thumbnails.develop(source, folder, **options))


def sizes(step: FirstLight) -> dict[str, tuple[int, int]]:
    """Return the size of each rendition by its label; WebP and JPEG must agree."""
    found: dict[str, set[tuple[int, int]]] = {}
    for rendition in step.renditions:
        label, _, extension = rendition.name.partition(".")
        assert extension in {"webp", "jpg"}
        found.setdefault(label, set()).add((rendition.width, rendition.height))
    assert len(step.renditions) == 2 * len(found)
    return {label: one for label, (one,) in ((k, tuple(v)) for k, v in found.items())}
