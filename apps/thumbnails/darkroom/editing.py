"""What somebody wants done to a picture: turned, then cropped, then its tones.

It is done to the working copy, when that is small, upright and 8-bit sRGB, and before any size is
made of it: so all sizes show the same, and twelve megapixels cost no more than three.
"""

from __future__ import annotations

from typing import TypedDict

import pyvips

_QUARTERS = ("d0", "d90", "d180", "d270")
_FULL = 100
_LEVELS = 256
_COLOURS = 3
# How much a full turn of the knob is: enough to be seen, and not enough to leave nothing.
_STOPS = 1.0
_CONTRAST_STOPS = 1.0
_WARMTH = 0.2
# What the eye takes for the brightness of red, green and blue.
_LIGHT = (0.2126, 0.7152, 0.0722)


class Crop(TypedDict):
    """Shares of the sides, after turning."""

    left: float
    top: float
    width: float
    height: float


class Edits(TypedDict):
    """What `edits.Edits` says, as it comes over the wire."""

    turns: int
    crop: Crop | None
    brightness: int
    contrast: int
    saturation: int
    warmth: int


def remaining(edits: Edits, width: int, height: int) -> tuple[int, int]:
    """Return what size an upright picture has after its edits, with no pixel scaled."""
    if edits["turns"] % 2:
        width, height = height, width
    crop = edits["crop"]
    if crop is None:
        return width, height
    return max(1, round(width * crop["width"])), max(1, round(height * crop["height"]))


def apply(image: pyvips.Image, edits: Edits, *, size: tuple[int, int]) -> pyvips.Image:
    """Return the upright `image` with its edits; `size` is what remains of it at this scale."""
    if edits["turns"]:
        image = image.rot(_QUARTERS[edits["turns"]])
    if edits["crop"] is not None:
        image = _cropped(image, edits["crop"], *size)
    toned = _toned(image, edits)
    return image if toned is image and not edits["turns"] else toned.copy_memory()


def _cropped(image: pyvips.Image, crop: Crop, width: int, height: int) -> pyvips.Image:
    # Each side was rounded for itself: never beyond the edge by that one pixel.
    width, height = min(width, image.width), min(height, image.height)
    left = min(round(crop["left"] * image.width), image.width - width)
    top = min(round(crop["top"] * image.height), image.height - height)
    return image.crop(left, top, width, height)


def _toned(image: pyvips.Image, edits: Edits) -> pyvips.Image:
    """Change the tones of the colours, and leave transparency as it is."""
    if not any(edits[name] for name in ("brightness", "contrast", "saturation", "warmth")):
        return image
    colours = image.extract_band(0, n=_COLOURS) if image.hasalpha() else image
    toned = _saturated(colours.maplut(_curves(edits)), edits["saturation"] / _FULL)
    return toned.bandjoin(image.extract_band(_COLOURS)) if image.hasalpha() else toned


def _curves(edits: Edits) -> pyvips.Image:
    """Return what becomes of each level of red, green and blue, as a table."""
    warmth = _WARMTH * edits["warmth"] / _FULL
    # A bend keeps black and white where they are; a shift would burn one of them out.
    bend: float = 2 ** (-_STOPS * edits["brightness"] / _FULL)
    slope: float = 2 ** (_CONTRAST_STOPS * edits["contrast"] / _FULL)
    table = bytes(
        _level(level / (_LEVELS - 1), bend, gain, slope)
        for level in range(_LEVELS)
        for gain in (1 + warmth, 1.0, 1 - warmth)
    )
    return pyvips.Image.new_from_memory(table, _LEVELS, 1, _COLOURS, "uchar")


def _level(share: float, bend: float, gain: float, slope: float) -> int:
    bent: float = min(1.0, share**bend * gain)
    steep = 0.5 + (bent - 0.5) * slope
    return round((_LEVELS - 1) * min(1.0, max(0.0, steep)))


def _saturated(image: pyvips.Image, by: float) -> pyvips.Image:
    if not by:
        return image
    matrix = [
        [light * -by + (1 + by if row == column else 0.0) for column, light in enumerate(_LIGHT)]
        for row in range(_COLOURS)
    ]
    # Not rounded, the cast would darken every pixel by half a level.
    mixed = image.recomb(pyvips.Image.new_from_array(matrix)).rint().cast("uchar")
    return mixed.copy(interpretation="srgb")
