"""What is refused before a decoder sees it."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from apps.thumbnails.darkroom.refusing import Refusal

SIDE = 30_000
FRAMES = 1_000
# A camera writes one scan, the web some ten; each one costs a pass over every pixel, so a valid
# file of 367 KB with 2,649 scans keeps any decoder busy for twenty seconds.
SCANS = 64

# In entropy-coded data a marker is FF and a byte that is neither stuffing nor a restart.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EOI, _SOS = 0xD9, 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def check_size(width: int, height: int, *, pixels: int, frames: int = 1) -> None:
    if width * height > pixels or max(width, height) > SIDE:
        raise Refusal("too_many_pixels", f"{width} x {height}")
    if frames > FRAMES:
        raise Refusal("too_many_frames", f"{frames} frames")


def check_scans(path: Path) -> None:
    """Refuse a JPEG of more than `SCANS` scans."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scans = 0
        for marker in jpeg_markers(data):
            scans += marker == _SOS
            if scans > SCANS:
                raise Refusal("too_complex", f"more than {SCANS} scans")


def jpeg_markers(data: mmap.mmap | bytes) -> Iterator[int]:
    """Yield the markers of a JPEG in order, up to the end of its first picture."""
    at = 2
    while found := _NEXT_MARKER.search(data, at):
        marker = data[found.end() - 1]
        at = found.end()
        if marker == _EOI:
            return
        yield marker
        if marker not in _STANDALONE:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
