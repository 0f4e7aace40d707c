"""Paint and light for the pictures of the demo: gradients, noise, edges, glows, grain.

Images are floats of 0 to 255 in three bands; masks have one band of 0 to 1. What is smooth is
computed small and enlarged, so a picture of four megapixels takes a fraction of a second.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyvips

Colour = tuple[float, ...]
Stops = Sequence[tuple[float, str]]

# Smooth things are computed at this fraction of the size.
COARSE = 8
# Grain is drawn once for a square of so many pixels, and repeated.
TILE = 512


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The paper: its size, and the seed from which everything random on it is drawn.

    When it is finished it is made `enlarge` times larger: light and air lose nothing by that.
    """

    width: int
    height: int
    seed: int
    enlarge: float = 1.0

    def random(self, what: str) -> random.Random:
        """Return a source of its own for each thing, so that one does not move the others."""
        return random.Random(f"{self.seed}:{what}")  # noqa: S311 - pictures, not secrets

    def number(self, what: str) -> int:
        return self.random(what).randrange(1, 2**30)


def colour(code: str) -> Colour:
    """Read #rrggbb."""
    return tuple(float(int(code[place : place + 2], 16)) for place in (1, 3, 5))


def mix(one: str, other: str, share: float) -> str:
    parts = zip(colour(one), colour(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def flat(sheet: Sheet, code: str) -> pyvips.Image:
    return pyvips.Image.black(sheet.width, sheet.height, bands=3) + list(colour(code))


def vertical(sheet: Sheet, stops: Stops) -> pyvips.Image:
    """A gradient from top to bottom through the colours at these places (0 to 1)."""
    column = array("f")
    for line in range(sheet.height):
        column.extend(_between(stops, line / max(1, sheet.height - 1)))
    strip = pyvips.Image.new_from_memory(column.tobytes(), 1, sheet.height, 3, "float")
    return strip.embed(0, 0, sheet.width, sheet.height, extend="copy")


def _between(stops: Stops, place: float) -> Colour:
    for (start, one), (end, other) in pairwise(stops):
        if place <= end:
            share = min(1.0, max(0.0, (place - start) / max(end - start, 1e-6)))
            # Eased, or the eye finds the edges between the parts.
            share = share * share * (3 - 2 * share)
            first, last = colour(one), colour(other)
            return tuple(a + (b - a) * share for a, b in zip(first, last, strict=True))
    return colour(stops[-1][1])


def smooth(sheet: Sheet, draw: Callable[[int, int], pyvips.Image]) -> pyvips.Image:
    """Draw something without edges at a small size, and enlarge it."""
    width, height = sheet.width // COARSE + 2, sheet.height // COARSE + 2
    enlarged = draw(width, height).resize(COARSE, kernel="linear")
    return enlarged.crop(0, 0, sheet.width, sheet.height)


def clouds(sheet: Sheet, what: str, *, cell: float, stretch: float = 1.0) -> pyvips.Image:
    """A mask of soft noise; `cell` is the size of its largest parts as a share of the width."""
    seed = sheet.number(what)

    def draw(width: int, height: int) -> pyvips.Image:
        # Drawn too low and pulled apart, for what lies flat: haze, water, sand.
        low = max(8, math.ceil(height * stretch))
        size = max(4, int(width * cell))
        parts = [
            pyvips.Image.perlin(width, low, cell_size=max(2, size >> octave), seed=seed + octave)
            / 2**octave
            for octave in range(3)
        ]
        total = pyvips.Image.sum(parts)
        return (total / 3.0 + 0.5).resize(1, vscale=(height + 1) / low, kernel="linear")

    return clamp(smooth(sheet, draw))


def glow(sheet: Sheet, x: float, y: float, *, radius: float, squash: float = 1.0) -> pyvips.Image:
    """A mask that is 1 at a place and fades; places and sizes are shares of the width."""

    def draw(width: int, height: int) -> pyvips.Image:
        place = pyvips.Image.xyz(width, height)
        across = place[0] / width - x
        down = (place[1] / height - y) * (sheet.height / sheet.width) * squash
        distance = (across * across + down * down) ** 0.5
        return (distance * (-1.0 / radius)).exp()

    return smooth(sheet, draw)


def disc(sheet: Sheet, x: float, y: float, *, radius: float, soft: float = 1.5) -> pyvips.Image:
    """A mask that is 1 inside a circle, with an edge of `soft` pixels."""
    place = pyvips.Image.xyz(sheet.width, sheet.height)
    across = place[0] - x * sheet.width
    down = place[1] - y * sheet.height
    distance = (across * across + down * down) ** 0.5
    return clamp((distance - radius * sheet.width) * (-1.0 / soft) + 0.5)


def skyline(  # noqa: PLR0913 - the features of a line
    sheet: Sheet, what: str, *, at: float, height: float, waves: float, rough: float = 0.5
) -> list[float]:
    """The line where something begins, in pixels from the top, one number for each column.

    `at` and `height` are shares of the height, `waves` how many hills it has, `rough` how much of
    each finer octave is added.
    """
    source = sheet.random(what)
    line = [at * sheet.height] * sheet.width
    for octave in range(7):
        count = max(2, int(waves * 2**octave) + 3)
        knots = [source.uniform(-1, 1) for _ in range(count + 1)]
        swing = height * sheet.height * rough**octave
        for column in range(sheet.width):
            position = column / sheet.width * (count - 1)
            knot = int(position)
            share = position - knot
            share = share * share * (3 - 2 * share)
            line[column] += swing * (knots[knot] * (1 - share) + knots[knot + 1] * share)
    return line


def below(sheet: Sheet, line: Sequence[float], *, soft: float = 1.1) -> pyvips.Image:
    """A mask that is 1 below the line, with an edge of `soft` pixels."""
    return clamp(depth(sheet, line) * (1.0 / soft) + 0.5)


def depth(sheet: Sheet, line: Sequence[float]) -> pyvips.Image:
    """How many pixels each place lies below the line; negative above it."""
    return pyvips.Image.xyz(sheet.width, sheet.height)[1] - columns(sheet, line)


def columns(sheet: Sheet, values: Sequence[float]) -> pyvips.Image:
    """One value for each column, the same from top to bottom."""
    row = pyvips.Image.new_from_memory(array("f", values).tobytes(), len(values), 1, 1, "float")
    return row.embed(0, 0, sheet.width, sheet.height, extend="copy")


def clamp(mask: pyvips.Image) -> pyvips.Image:
    """Cut off what is below 0 and above 1: the cast does both, and in one pass."""
    return (mask * 255.0).cast("uchar") * (1 / 255.0)


def blurred(sheet: Sheet, mask: pyvips.Image, radius: float) -> pyvips.Image:
    """The mask out of focus; `radius` is a share of the width. Much blur needs few pixels."""
    pixels = radius * sheet.width
    if pixels < COARSE:
        return mask.gaussblur(pixels)
    small = mask.shrink(COARSE, COARSE).gaussblur(pixels / COARSE)
    return (
        small.embed(0, 0, small.width + 1, small.height + 1, extend="copy")
        .resize(COARSE, kernel="linear")
        .crop(0, 0, sheet.width, sheet.height)
    )


def over(base: pyvips.Image, paint: pyvips.Image | str, mask: pyvips.Image) -> pyvips.Image:
    """Lay paint over the base where the mask is."""
    if isinstance(paint, str):
        return base + (base * -1 + list(colour(paint))) * mask
    return base + (paint - base) * mask


def shine(base: pyvips.Image, code: str, mask: pyvips.Image) -> pyvips.Image:
    """Add light of a colour, as a screen does: what is bright already stays below white."""
    light = mask.bandjoin([mask, mask]) * list(colour(code))
    return base + light - base * light / 255.0


def finish(
    sheet: Sheet, image: pyvips.Image, *, grain: float = 3.5, vignette: float = 0.28
) -> pyvips.Image:
    """What a lens and a film add: darker corners, and grain, which hides the steps of 8 bit."""
    if vignette:
        light = glow(sheet, 0.5, 0.5, radius=0.9) * vignette + (1.02 - vignette)
        image = image * clamp(light * 1.15)
    image = image.cast("uchar").copy(interpretation="srgb")
    if sheet.enlarge != 1:
        image = image.resize(sheet.enlarge, kernel="cubic")
    tile = pyvips.Image.gaussnoise(TILE, TILE, sigma=grain, mean=0.5, seed=sheet.number("grain"))
    tile = tile.copy_memory()
    noise = tile.replicate(image.width // TILE + 1, image.height // TILE + 1)
    noise = noise.crop(0, 0, image.width, image.height)
    return (image + noise).cast("uchar").copy(interpretation="srgb")


def drawn(sheet: Sheet, shapes: str) -> pyvips.Image:
    """A mask of what an SVG draws in white; its unit is a thousandth of the width."""
    tall = round(1000 * sheet.height / sheet.width)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}" '
        f'viewBox="0 0 1000 {tall}">{shapes}</svg>'
    )
    return pyvips.Image.svgload_buffer(svg.encode())[3] / 255.0
