"""Hills, peaks, dunes, trees and meadows. Each scene takes its paper and a palette of five colours.

The colours go from the sky above to what is nearest: high, low, light, far, near.
"""

from __future__ import annotations

import math
import random

import pyvips

from apps.operations.demo.light import (
    Sheet,
    below,
    clamp,
    clouds,
    columns,
    depth,
    disc,
    drawn,
    finish,
    flat,
    glow,
    mix,
    over,
    shine,
    skyline,
    vertical,
)

Palette = tuple[str, str, str, str, str]


def hills(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Ridge behind ridge, each with more air in front of it."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.55, low), (0.7, light), (1, light)])
    sun = sheet.random("sun").uniform(0.25, 0.75)
    image = shine(image, light, glow(sheet, sun, 0.48, radius=0.16))
    image = over(image, mix(light, "#ffffff", 0.6), disc(sheet, sun, 0.47, radius=0.024, soft=5))
    for number in range(6):
        share = number / 5
        line = skyline(
            sheet,
            f"hill{number}",
            at=0.5 + 0.095 * number,
            height=0.075,
            waves=1.5 + number,
            rough=0.44,
        )
        image = over(image, mix(far, near, share**1.3), below(sheet, line, soft=2))
        haze = clamp(depth(sheet, line) / (sheet.height * 0.2)) * (0.75 - 0.7 * share)
        image = over(
            image, light, haze * below(sheet, line) * clouds(sheet, "mist", cell=0.5, stretch=0.4)
        )
    return finish(sheet, image)


def peaks(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Snow that catches the last light, over dark woods."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.7, low), (1, low)])
    image = over(
        image, mix(low, "#ffffff", 0.5), clouds(sheet, "sky", cell=0.6, stretch=0.3) * 0.35
    )
    for number, (at, tall) in enumerate([(0.42, 0.2), (0.55, 0.15)]):
        line = skyline(sheet, f"peak{number}", at=at, height=tall, waves=2.5 + number, rough=0.52)
        lit = clamp(_facing(sheet, line) + (clouds(sheet, f"lit{number}", cell=0.07) - 0.5) * 6)
        snow = over(flat(sheet, mix(far, low, 0.25)), light, lit)
        rock = clouds(sheet, f"rock{number}", cell=0.03, stretch=1.8)
        snow = over(snow, mix(far, near, 0.5), clamp((rock - 0.61) * 9) * 0.55)
        image = over(image, snow, below(sheet, line))
        haze = clamp(depth(sheet, line) / (sheet.height * 0.42)) * 0.85
        image = over(image, mix(far, low, 0.45), haze)
    for number in range(2):
        line = _woods(sheet, f"wood{number}", at=0.8 + 0.1 * number)
        image = over(image, mix(far, near, 0.6 + 0.4 * number), below(sheet, line))
    return finish(sheet, image)


def dunes(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """One side of the crest in light, the other in shadow, and ripples of the wind."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.5, low), (1, low)])
    ripples = clouds(sheet, "ripples", cell=0.02, stretch=0.35)
    for number in range(5):
        share = number / 4
        line = skyline(
            sheet,
            f"dune{number}",
            at=0.4 + 0.13 * number,
            height=0.11,
            waves=0.8 + 0.4 * number,
            rough=0.24,
        )
        face = clamp(depth(sheet, line) / (sheet.height * (0.12 + 0.1 * share)))
        sand = over(
            flat(sheet, mix(light, low, 0.45 * (1 - share))), mix(far, low, 0.4 * (1 - share)), face
        )
        shade = skyline(
            sheet, f"shade{number}", at=0.47 + 0.15 * number, height=0.13, waves=1.4, rough=0.3
        )
        sand = over(sand, near, below(sheet, shade, soft=60 + 160 * share) * (0.35 + 0.45 * share))
        sand = sand * ((ripples - 0.5) * (0.1 + 0.24 * share) + 1)
        image = over(image, sand, below(sheet, line, soft=2))
    return finish(sheet, image, grain=4.5)


def forest(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Trunks that go away into the fog."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.5, light), (0.8, low), (1, far)])
    image = shine(image, light, glow(sheet, 0.55, 0.35, radius=0.3) * 0.6)
    source = sheet.random("trunks")
    for row in range(5):
        share = row / 4
        trunks = []
        for _ in range(15 - 2 * row):
            foot, thick = (
                source.uniform(-20, 1020),
                5 + 9 * share * share * source.uniform(1.5, 3.5),
            )
            lean = source.uniform(-18, 18)
            trunks.append(
                _trunk(foot, thick, lean, 1000 * sheet.height / sheet.width, source.random())
            )
        mask = drawn(sheet, "".join(trunks))
        image = over(image, mix(far, near, share), mask * (0.4 + 0.6 * share))
        fog = clouds(sheet, f"fog{row}", cell=0.7, stretch=0.35) * (0.55 - 0.12 * row)
        image = over(image, light, fog)
    ground = skyline(sheet, "ground", at=0.93, height=0.03, waves=3, rough=0.55)
    image = over(image, near, below(sheet, ground, soft=sheet.height * 0.05))
    return finish(sheet, image)


def meadow(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Grass in front of a low sun, flowers in between."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.5, low), (0.72, light), (1, far)])
    image = shine(image, light, glow(sheet, 0.7, 0.6, radius=0.2))
    line = skyline(sheet, "trees", at=0.66, height=0.035, waves=7, rough=0.6)
    image = over(image, mix(far, low, 0.4), below(sheet, line, soft=9))
    source = sheet.random("grass")
    tall = 1000 * sheet.height / sheet.width
    for row in range(4):
        share = row / 3
        blades = "".join(_blade(source, tall, share) for _ in range(150))
        image = over(image, mix(far, near, share), drawn(sheet, blades) * (0.55 + 0.45 * share))
        flowers = "".join(_flower(source, tall, share) for _ in range(16))
        image = over(image, mix(light, "#ffffff", 0.25), drawn(sheet, flowers) * 0.95)
    return finish(sheet, image)


def _facing(sheet: Sheet, line: list[float]) -> pyvips.Image:
    """Which slopes under the line look to the light, which comes from the left."""
    reach = sheet.width // 60
    last = len(line) - 1
    rise = [
        line[max(0, column - reach)] - line[min(last, column + reach)]
        for column in range(len(line))
    ]
    return columns(sheet, [value / (sheet.height * 0.03) + 0.4 for value in rise])


def _woods(sheet: Sheet, what: str, *, at: float) -> list[float]:
    """A line of tree tops: teeth of many sizes on a slope."""
    line = skyline(sheet, what, at=at, height=0.04, waves=2, rough=0.4)
    source = sheet.random(f"{what} trees")
    column = 0
    while column < sheet.width:
        width = int(sheet.width * source.uniform(0.006, 0.018))
        tall = width * source.uniform(1.6, 3.2)
        for step in range(min(width, sheet.width - column)):
            middle = abs(step - width / 2) / (width / 2)
            line[column + step] -= tall * (1 - middle) ** 0.8
        column += max(3, int(width * 0.7))
    return line


def _trunk(foot: float, thick: float, lean: float, tall: float, twist: float) -> str:
    """A tree from the ground to beyond the top, with two boughs."""
    top = foot + lean
    paths = [
        f"M{foot - thick},{tall} Q{foot - thick / 2},{tall / 2} {top - thick / 2.4},0 "
        f"L{top + thick / 2.4},0 Q{foot + thick / 2},{tall / 2} {foot + thick},{tall} Z"
    ]
    for side in (-1, 1):
        start = tall * (0.15 + 0.35 * twist) + 40 * side
        reach = side * thick * (4 + 6 * twist)
        paths.append(
            f"M{foot},{start} q{reach / 2},{-thick} {reach},{-thick * 5} "
            f"q{-reach / 3},{thick * 2.5} {-reach},{thick * 6} Z"
        )
    return "".join(f'<path fill="#fff" d="{path}"/>' for path in paths)


def _blade(source: random.Random, tall: float, share: float) -> str:
    uniform = source.uniform
    foot, reach = uniform(-30, 1030), (0.12 + 0.26 * share) * tall * uniform(0.5, 1.1)
    bend, thick = uniform(-0.35, 0.35) * reach, 1.2 + 3.2 * share
    base = tall * (0.86 + 0.16 * share)
    return (
        f'<path fill="#fff" d="M{foot},{base + 90} q{bend / 4},{-reach / 2} {bend},{-reach - 90} '
        f'q{-bend / 1.6},{reach / 2} {-bend + thick * 2},{reach + 90} Z"/>'
    )


def _flower(source: random.Random, tall: float, share: float) -> str:
    uniform = source.uniform
    across, down = uniform(0, 1000), tall * (0.74 + 0.2 * uniform(0, 1) * (0.4 + share))
    size = (3 + 8 * share) * uniform(0.6, 1.1)
    petals = "".join(
        f'<ellipse cx="{across + size * math.cos(angle)}" '
        f'cy="{down + size * math.sin(angle) * 0.7}" '
        f'rx="{size * 0.62}" ry="{size * 0.5}"/>'
        for angle in (0.3, 1.56, 2.8, 4.1, 5.3)
    )
    return f'<g fill="#fff">{petals}</g>'
