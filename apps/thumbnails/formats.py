"""Which picture is it? Told by its first bytes; its name and the sender's word count nothing.

Imports nothing, so that the web process may ask while an upload streams in.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Format = Literal["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

# How many bytes `sniff` wants to see; fewer are fine for all but HEIC and AVIF.
HEAD_BYTES: Final = 64

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
# RAW files of cameras that begin like a TIFF: their first page is a stamp-sized preview.
_CANON_RAW = b"CR\x02"


def sniff(head: bytes) -> Format | None:
    """Return the format that the first bytes of a file promise, or None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return None if head[8:11] == _CANON_RAW else "tiff"
    return _sniff_heif(head)


def _sniff_heif(head: bytes) -> Format | None:
    """Tell HEIC and AVIF by the brands of the box that both begin with."""
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    # The major brand, then (after four bytes of version) those it is compatible with: `mif1`
    # alone says only "some HEIF", the others say which codec.
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return "avif"
        if brand in _HEIC_BRANDS:
            return "heic"
    return None
