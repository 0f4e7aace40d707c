"""Pictures drawn for tests: every format, with whatever cameras put into a file.

    original = make_picture()                                   # the bytes of a JPEG
    original = make_picture("heic", size=(4032, 3024), camera=CAMERA, gps=True, orientation=6)

The drawing has a red, a green, a blue and a white corner (top left, top right, bottom left,
bottom right as it should be seen), so that a test can tell how it lies; `corners` reads them.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pillow_heif
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational

Format = Literal["jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "bmp"]
Colour = tuple[int, int, int]

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (40, 60, 200), (245, 245, 240)
CORNERS: dict[str, Colour] = {
    "top left": RED,
    "top right": GREEN,
    "bottom left": BLUE,
    "bottom right": WHITE,
}
# Latitude and longitude are easy to find again in a file: 59°56'41" N, 10°43'21" E.
SECRET_PLACE = ((59.0, 56.0, 41.0), (10.0, 43.0, 21.0))
CAMERA: dict[int, object] = {
    0x010F: "Leica Camera AG",
    0x0110: "LEICA Q2",
    0x829A: 1 / 250,
    0x829D: 2.8,
    0x8827: 400,
    0x9003: "2026:05:17 14:03:22",
    0x9011: "+02:00",
    0x920A: 28.0,
    0xA434: "SUMMILUX 1:1.7/28 ASPH.",
}
_EXIF_IFD, _GPS_IFD, _ORIENTATION = 0x8769, 0x8825, 0x0112
# How to lay an upright picture down so that the orientation of that number stands it up again.
_LAY_DOWN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}

pillow_heif.register_heif_opener()


def make_picture(
    kind: Format = "jpeg",
    *,
    size: tuple[int, int] = (640, 480),
    mode: str = "RGB",
    image: Image.Image | None = None,
    orientation: int = 1,
    camera: Mapping[int, object] | None = None,
    gps: bool = False,
    **options: Any,
) -> bytes:
    """Return a picture file of `size` (as it should be seen).

    `image` replaces the drawing; `options` go to Pillow's `save` (quality, icc_profile, xmp,
    comment, progressive, save_all …).
    """
    image = draw(size, mode) if image is None else image
    if orientation in _LAY_DOWN:
        image = image.transpose(_LAY_DOWN[orientation])
    if orientation != 1 or camera or gps:
        options["exif"] = make_exif(orientation=orientation, camera=camera, gps=gps)
    file = io.BytesIO()
    image.save(file, "HEIF" if kind == "heic" else kind.upper(), **options)
    return file.getvalue()


def draw(size: tuple[int, int] = (640, 480), mode: str = "RGB") -> Image.Image:
    """Return a sky with a sun, a hill, and four coloured corners."""
    width, height = size
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    sky = Image.new("RGB", size, (250, 190, 120))
    image = Image.blend(image, sky, 0.6)
    pen = ImageDraw.Draw(image)
    x, y, r = width * 0.62, height * 0.35, min(size) * 0.12
    pen.ellipse((x - r, y - r, x + r, y + r), fill=(255, 240, 180))
    pen.polygon(
        [(0, height), (width * 0.4, height * 0.55), (width, height * 0.8), (width, height)],
        fill=(60, 80, 70),
    )
    w, h = max(1, width // 5), max(1, height // 5)
    for place, colour in CORNERS.items():
        left = 0 if "left" in place else width - w
        top = 0 if "top" in place else height - h
        image.paste(colour, (left, top, left + w, top + h))
    return image.convert(mode)


def make_exif(
    *, orientation: int = 1, camera: Mapping[int, object] | None = None, gps: bool = False
) -> bytes:
    exif = Image.Exif()
    if orientation != 1:
        exif[_ORIENTATION] = orientation
    for tag, value in (camera or {}).items():
        directory = exif if tag < 0x8000 else exif.get_ifd(_EXIF_IFD)
        directory[tag] = _rational(value) if isinstance(value, float) else value
    if gps:
        latitude, longitude = SECRET_PLACE
        exif.get_ifd(_GPS_IFD).update({1: "N", 2: latitude, 3: "E", 4: longitude})
    return exif.tobytes()


def _rational(value: float) -> IFDRational:
    return IFDRational(Fraction(value).limit_denominator(100_000))


def read(picture: bytes | Path) -> Image.Image:
    """Return a picture file decoded, with no file left open."""
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def corners(picture: bytes | Path) -> dict[str, Colour]:
    """Return the colours in the corners of a picture file."""
    image = read(picture).convert("RGB")
    right, bottom = image.width * 9 // 10, image.height * 9 // 10
    left, top = image.width // 10, image.height // 10
    return {
        "top left": _pixel(image, left, top),
        "top right": _pixel(image, right, top),
        "bottom left": _pixel(image, left, bottom),
        "bottom right": _pixel(image, right, bottom),
    }


def _pixel(image: Image.Image, x: int, y: int) -> Colour:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return int(value[0]), int(value[1]), int(value[2])


def is_close(one: Colour, other: Colour, *, within: int = 14) -> bool:
    """Return whether two colours differ by no more than lossy encoding makes them."""
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


def is_upright(picture: bytes | Path) -> bool:
    """Return whether a drawn picture stands as it should be seen."""
    return all(is_close(colour, CORNERS[place]) for place, colour in corners(picture).items())


def wide_gamut_profile() -> bytes:
    """Return an ICC profile (version 2, matrix) with the primaries of Display P3, gamma 2.2."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))

    text = b"P3 for tests\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = {
        b"desc": description,
        b"cprt": b"text\0\0\0\0" + b"CC0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += padded
    header = struct.pack(
        ">I4sI4s4s4s", at + len(data), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + xyz(0.9642, 1.0, 0.8249)[8:]
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
