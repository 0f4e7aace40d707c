"""ThumbHash: a picture's impression in some 25 bytes.

An implementation of the algorithm that Evan Wallace published at
https://github.com/evanw/thumbhash (MIT); the tests hold vectors made by his reference code.
PyPI's ports bring Pillow or NumPy along or are unmaintained, and the encoder is this short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LONGEST = 100


class _Channel(NamedTuple):
    constant: float
    varying: list[float]
    scale: float


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """Return the ThumbHash of `rgba` (rows of four bytes a pixel, not premultiplied)."""
    if max(width, height) > LONGEST or len(rgba) != width * height * 4:
        raise ValueError("at most 100 x 100 pixels of four bytes")
    planes, has_alpha = _planes(rgba)
    limit = 5 if has_alpha else 7  # fewer terms of luminance where alpha needs room
    longest = max(width, height)
    nx = max(1, _round(limit * width / longest))
    ny = max(1, _round(limit * height / longest))
    terms = [(max(3, nx), max(3, ny)), (3, 3), (3, 3), (5, 5)][: 4 if has_alpha else 3]
    light, yellow, red, *alpha = (
        _transform(width, height, plane, *term) for plane, term in zip(planes, terms, strict=False)
    )
    is_landscape = width > height
    header = (
        _round(63 * light.constant)
        | _round(31.5 + 31.5 * yellow.constant) << 6
        | _round(31.5 + 31.5 * red.constant) << 12
        | _round(31 * light.scale) << 18
        | has_alpha << 23
        | (ny if is_landscape else nx) << 24
        | _round(63 * yellow.scale) << 27
        | _round(63 * red.scale) << 33
        | is_landscape << 39
    )
    head = header.to_bytes(5, "little")
    if alpha:
        head += bytes([_round(15 * alpha[0].constant) | _round(15 * alpha[0].scale) << 4])
    return head + _pack([v for channel in (light, yellow, red, *alpha) for v in channel.varying])


def _planes(rgba: bytes) -> tuple[list[list[float]], bool]:
    """Split into luminance, yellow-blue, red-green and alpha, laid over the average colour."""
    pixels = [rgba[at : at + 4] for at in range(0, len(rgba), 4)]
    weight = sum(pixel[3] for pixel in pixels) / 255
    average = [
        sum(pixel[band] * pixel[3] for pixel in pixels) / 65025 / weight if weight else 0.0
        for band in range(3)
    ]
    planes: list[list[float]] = [[], [], [], []]
    for pixel in pixels:
        alpha = pixel[3] / 255
        r, g, b = (average[i] * (1 - alpha) + alpha / 255 * pixel[i] for i in range(3))
        for plane, value in zip(
            planes, ((r + g + b) / 3, (r + g) / 2 - b, r - g, alpha), strict=True
        ):
            plane.append(value)
    return planes, weight < len(pixels)


def _transform(width: int, height: int, plane: Sequence[float], nx: int, ny: int) -> _Channel:
    """Return the first terms of the cosine transform, the varying ones scaled to 0…1."""
    across = [_cosines(width, cx) for cx in range(nx)]
    down = [_cosines(height, cy) for cy in range(ny)]
    rows = [plane[y * width : (y + 1) * width] for y in range(height)]
    terms = []
    for cx, cy in _triangle(nx, ny):
        by_row = (sum(map(float.__mul__, row, across[cx])) for row in rows)
        terms.append(sum(map(float.__mul__, by_row, down[cy])) / (width * height))
    constant, *varying = terms
    scale = max(map(abs, varying), default=0.0)
    if scale:
        varying = [0.5 + 0.5 / scale * value for value in varying]
    return _Channel(constant, varying, scale)


def _cosines(length: int, term: int) -> list[float]:
    return [math.cos(math.pi / length * term * (at + 0.5)) for at in range(length)]


def _triangle(nx: int, ny: int) -> Iterator[tuple[int, int]]:
    for cy in range(ny):
        cx = 0
        while cx * ny < nx * (ny - cy):
            yield cx, cy
            cx += 1


def _pack(values: Sequence[float]) -> bytes:
    """Return the values in four bits each, the first of a pair in the low ones."""
    nibbles = [_round(15 * value) for value in values]
    nibbles += [0] * (len(nibbles) % 2)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def _round(value: float) -> int:
    """Round as JavaScript does, which the hashes of others were made with: halves go up."""
    return math.floor(value + 0.5)
