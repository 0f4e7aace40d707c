"""What is close: a town at dusk, leaves, lights out of focus, light on a wall."""

from __future__ import annotations

import math
import random

import pyvips

from apps.operations.demo.land import Palette
from apps.operations.demo.light import (
    Sheet,
    blurred,
    clamp,
    clouds,
    drawn,
    finish,
    flat,
    glow,
    mix,
    over,
    shine,
    vertical,
)


def town(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Rows of houses, the windows lit one after the other."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.55, low), (0.8, mix(low, light, 0.5)), (1, low)])
    image = over(image, mix(low, light, 0.5), clouds(sheet, "sky", cell=0.6, stretch=0.2) * 0.4)
    tall = 1000 * sheet.height / sheet.width
    source = sheet.random("houses")
    for row in range(4):
        share = row / 3
        houses, windows = _row(source, tall, share)
        image = over(image, mix(far, near, share), drawn(sheet, houses))
        image = shine(image, light, drawn(sheet, windows) * (0.55 + 0.4 * share))
        haze = clouds(sheet, f"haze{row}", cell=0.8, stretch=0.3) * (0.32 - 0.1 * row)
        image = over(image, mix(low, light, 0.4), clamp(haze))
    image = shine(image, light, glow(sheet, 0.5, 1.0, radius=0.5, squash=2) * 0.22)
    return finish(sheet, image)


def _row(source: random.Random, tall: float, share: float) -> tuple[str, str]:
    houses, windows, left = [], [], -30.0
    while left < 1000:
        width = source.uniform(28, 60) * (0.7 + 0.9 * share)
        roof = tall * (0.42 + 0.19 * share) + source.uniform(-0.1, 0.1) * tall
        houses.append(f'<rect x="{left}" y="{roof}" width="{width + 1}" height="{tall}"/>')
        if source.random() < 0.35:
            houses.append(_gable(left, roof, width, source.uniform(0.25, 0.6)))
        cell = 5.5 + 5 * share
        for floor in range(int((tall - roof) / (cell * 1.7))):
            for column in range(int(width / cell) - 1):
                if source.random() < 0.3 - 0.08 * share:
                    x, y = left + (column + 0.8) * cell, roof + (floor + 0.7) * cell * 1.7
                    alpha = source.uniform(0.35, 1)
                    windows.append(
                        f'<rect x="{x}" y="{y}" width="{cell * 0.5}" height="{cell * 0.85}" '
                        f'fill-opacity="{alpha:.2f}"/>'
                    )
        left += width
    return f'<g fill="#fff">{"".join(houses)}</g>', f'<g fill="#fff">{"".join(windows)}</g>'


def _gable(left: float, roof: float, width: float, steep: float) -> str:
    return (
        f'<path d="M{left - 2},{roof + 1} L{left + width / 2},{roof - width * steep} '
        f'L{left + width + 2},{roof + 1} Z"/>'
    )


def fern(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Fronds before a light that comes through the leaves."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.5, low), (1, far)])
    image = over(image, light, clamp((clouds(sheet, "leaves", cell=0.18) - 0.45) * 2.4) * 0.5)
    image = shine(image, light, glow(sheet, 0.62, 0.3, radius=0.24) * 0.8)
    source = sheet.random("fronds")
    tall = 1000 * sheet.height / sheet.width
    for row in range(4):
        share = row / 3
        fronds = "".join(
            _frond(source, source.uniform(-60, 1060), tall * source.uniform(0.95, 1.1), share)
            for _ in range(6)
        )
        mask = drawn(sheet, fronds)
        if row in {0, 3}:
            # Before and behind what the lens is set to.
            mask = blurred(sheet, mask, 0.006 if row == 0 else 0.0035)
        image = over(image, mix(far, near, share), mask * (0.55 + 0.4 * share))
    return finish(sheet, image)


def _frond(source: random.Random, x: float, y: float, share: float) -> str:
    """A stem that bends, with leaves that grow smaller towards its end."""
    angle, bend = source.uniform(-2.2, -0.95), source.uniform(-0.045, 0.045)
    step = 26 + 20 * share
    leaves = []
    count = 26
    for number in range(count):
        x, y = x + step * math.cos(angle), y + step * math.sin(angle)
        angle += bend
        size = step * 4.2 * math.sin(math.pi * (0.12 + 0.88 * (1 - number / count)) ** 0.9)
        for side in (-1, 1):
            turn = math.degrees(angle) + side * 62
            leaves.append(
                f'<path transform="translate({x:.1f},{y:.1f}) rotate({turn:.1f})" '
                f'd="M0,0 Q{size * 0.5:.1f},{-size * 0.13:.1f} {size:.1f},0 '
                f'Q{size * 0.5:.1f},{size * 0.13:.1f} 0,0 Z"/>'
            )
    return f'<g fill="#fff">{"".join(leaves)}</g>'


def bokeh(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Lights of a street, far out of focus."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.6, low), (1, near)])
    image = over(image, low, clouds(sheet, "blur", cell=0.5) * 0.6)
    source = sheet.random("lights")
    tall = 1000 * sheet.height / sheet.width
    for row, code in enumerate((far, light, mix(light, "#ffffff", 0.4), far)):
        circles = []
        for _ in range(20):
            across, down = source.gauss(500, 290), source.gauss(tall * 0.52, tall * 0.17)
            radius, alpha = source.uniform(18, 62), source.uniform(0.16, 0.6)
            circles.append(
                f'<circle cx="{across:.0f}" cy="{down:.0f}" r="{radius:.0f}" fill="#fff" '
                f'fill-opacity="{alpha:.2f}" stroke="#fff" stroke-opacity="{alpha / 2:.2f}" '
                'stroke-width="2.5"/>'
            )
        image = shine(image, code, drawn(sheet, "".join(circles)).gaussblur(2 + row))
    return finish(sheet, image, grain=5)


def window(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """The afternoon falls through a window onto a wall."""
    high, low, light, far, near = palette
    image = over(flat(sheet, low), high, clouds(sheet, "wall", cell=0.7) * 0.7)
    source = sheet.random("panes")
    tall = 1000 * sheet.height / sheet.width
    left, top, skew = source.uniform(180, 330), tall * 0.14, source.uniform(70, 150)
    panes = []
    for row in range(3):
        for column in range(2):
            x, y = left + column * 215 - row * skew * 0.5, top + row * tall * 0.25
            panes.append(
                f'<path fill="#fff" d="M{x},{y} h195 l{-skew * 0.45},{tall * 0.225} h-195 Z"/>'
            )
    leaves = "".join(
        _frond(source, source.uniform(300, 950), tall * source.uniform(0.75, 1.05), 0.4)
        for _ in range(3)
    )
    patch = blurred(sheet, drawn(sheet, "".join(panes)), 0.0035)
    shadow = blurred(sheet, drawn(sheet, leaves), 0.0055)
    image = shine(image, light, patch * (shadow * -0.85 + 1) * 0.85)
    image = shine(image, far, glow(sheet, 0.45, 0.5, radius=0.4) * 0.25)
    line = pyvips.Image.xyz(sheet.width, sheet.height)[1] / sheet.height
    return finish(sheet, over(image, near, clamp((line - 0.9) * 60)), grain=4)


def petals(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """A flower from so near that it fills the frame."""
    high, low, light, far, near = palette
    image = over(flat(sheet, high), low, clouds(sheet, "behind", cell=0.6))
    tall = 1000 * sheet.height / sheet.width
    middle = (500, tall * 0.54)
    for ring in range(6):
        share = ring / 5
        size, count = 640 - 95 * ring, 9 - ring // 2
        shapes = "".join(
            _petal(middle, size, 360 / count * number + 23 * ring) for number in range(count)
        )
        mask = drawn(sheet, shapes)
        shadow = blurred(sheet, mask, 0.012)
        image = image * (shadow * -0.28 + 1)
        tone = over(
            flat(sheet, mix(far, light, share)),
            mix(light, "#ffffff", 0.35),
            clouds(sheet, f"vein{ring}", cell=0.1) * 0.6,
        )
        image = over(image, tone, mask)
    image = over(
        image,
        near,
        drawn(sheet, f'<circle cx="500" cy="{middle[1]}" r="52" fill="#fff"/>').gaussblur(9),
    )
    return finish(sheet, image, vignette=0.4)


def _petal(middle: tuple[float, float], size: float, turn: float) -> str:
    x, y = middle
    return (
        f'<path fill="#fff" transform="translate({x},{y}) rotate({turn:.0f})" '
        f'd="M0,0 C{size * 0.2:.0f},{-size * 0.42:.0f} {size * 0.78:.0f},{-size * 0.36:.0f} '
        f"{size:.0f},{-size * 0.02:.0f} C{size * 0.8:.0f},{size * 0.34:.0f} "
        f'{size * 0.2:.0f},{size * 0.3:.0f} 0,0 Z"/>'
    )
