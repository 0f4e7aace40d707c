"""Water and the sky above it, by day and by night."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from apps.operations.demo.land import Palette
from apps.operations.demo.light import (
    Sheet,
    below,
    clamp,
    clouds,
    columns,
    depth,
    disc,
    finish,
    glow,
    mix,
    over,
    shine,
    skyline,
    smooth,
    vertical,
)


def sea(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """The sun's path on the waves."""
    high, low, light, far, near = palette
    horizon = 0.46
    image = vertical(sheet, [(0, high), (horizon, low), (horizon + 0.02, low), (1, low)])
    image = over(
        image, mix(low, light, 0.7), clouds(sheet, "clouds", cell=0.5, stretch=0.25) * 0.55
    )
    sun = sheet.random("sun").uniform(0.35, 0.65)
    image = shine(image, light, glow(sheet, sun, horizon - 0.05, radius=0.2))
    image = over(
        image, mix(light, "#ffffff", 0.7), disc(sheet, sun, horizon - 0.06, radius=0.03, soft=6)
    )
    line = [horizon * sheet.height] * sheet.width
    water = vertical(sheet, [(0, low), (horizon, mix(low, far, 0.5)), (0.75, far), (1, near)])
    swell = _swell(sheet, horizon)
    water = water * (swell * 0.55 + 0.78)
    path = glow(sheet, sun, 0.75, radius=0.12, squash=0.16)
    sparks = clamp((swell - 0.5) * 7)
    water = shine(water, light, clamp(path * 1.6) * sparks)
    return finish(sheet, over(image, water, below(sheet, line, soft=2)))


def _swell(sheet: Sheet, horizon: float) -> pyvips.Image:
    """Waves as a mask: close together at the horizon, wide at one's feet."""
    place = pyvips.Image.xyz(sheet.width, sheet.height)
    near = clamp((place[1] / sheet.height - horizon) / (1 - horizon)) + 0.004
    drift = (clouds(sheet, "drift", cell=0.16, stretch=0.2) - 0.5) * 13
    fine = (clouds(sheet, "fine", cell=0.03, stretch=0.25) - 0.5) * 8
    phase = near**0.42 * 130 + drift + fine + place[0] / sheet.width * 3
    waves = (phase * 57.3).sin() * 0.5 + 0.5
    return waves * 0.42 + clouds(sheet, "chop", cell=0.014, stretch=0.22) * 0.58


def lake(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """A still evening: the shore and the moon stand on their heads in the water."""
    high, low, light, far, near = palette
    half = replace(sheet, height=sheet.height // 2)
    above = vertical(half, [(0, high), (0.8, low), (1, light)])
    moon = sheet.random("moon").uniform(0.25, 0.75)
    above = shine(above, light, glow(half, moon, 0.42, radius=0.1))
    above = over(above, mix(light, "#ffffff", 0.7), disc(half, moon, 0.42, radius=0.028, soft=3))
    for number in range(3):
        line = skyline(
            half,
            f"shore{number}",
            at=0.72 + 0.1 * number,
            height=0.13,
            waves=2 + number,
            rough=0.45,
        )
        above = over(above, mix(far, near, number / 2), below(half, line))
        haze = clamp(depth(half, line) / (half.height * 0.5)) * (0.6 - 0.25 * number)
        above = over(above, light, haze)
    mirrored = above.flipver() * 0.72 + [6, 9, 14]
    image = above.join(mirrored, "vertical").crop(0, 0, sheet.width, half.height * 2)
    place = pyvips.Image.xyz(image.width, image.height)
    wet = clamp(place[1] - half.height)
    shiver = (clouds(sheet, "shiver", cell=0.03, stretch=0.12) - 0.5) * 26
    bent = (place[0] + shiver * wet * 0.4).bandjoin(place[1] + shiver * wet)
    image = image.mapim(bent, extend="copy")
    image = image.embed(0, 0, sheet.width, sheet.height, extend="copy")
    return finish(sheet, image)


def stars(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """The Milky Way over a ridge."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.75, low), (1, light)])
    band = _across(sheet, tilt=sheet.random("tilt").uniform(0.5, 0.9), width=0.1)
    dust = clouds(sheet, "dust", cell=0.12) * 0.7 + clouds(sheet, "fine dust", cell=0.04) * 0.45
    image = shine(image, mix(low, "#ffffff", 0.55), clamp(band * dust * 1.2) * 0.75)
    lanes = clamp((clouds(sheet, "lanes", cell=0.09) - 0.5) * 5) * clamp(band * 1.4 - 0.35)
    image = over(image, high, lanes * 0.75)
    for size, many in ((0, 2.85), (1, 3.35)):
        image = shine(image, "#fff6ea", _points(sheet, size, many) * (0.65 + 0.35 * band))
    image = shine(image, light, glow(sheet, 0.5, 1.05, radius=0.35, squash=2.2) * 0.5)
    for number in range(2):
        line = skyline(
            sheet, f"ridge{number}", at=0.8 + 0.09 * number, height=0.08, waves=2.5, rough=0.5
        )
        image = over(image, mix(far, near, number), below(sheet, line))
    return finish(sheet, image, grain=4.5, vignette=0.2)


def aurora(sheet: Sheet, palette: Palette) -> pyvips.Image:
    """Curtains of light over the snow."""
    high, low, light, far, near = palette
    image = vertical(sheet, [(0, high), (0.7, low), (1, low)])
    image = shine(image, "#fffaf0", _points(sheet, 0, 3.3) * 0.8)
    for number in range(3):
        hem = skyline(
            sheet, f"hem{number}", at=0.42 + 0.11 * number, height=0.15, waves=1.6, rough=0.35
        )
        up = depth(sheet, hem) * -1
        rise = (clamp(up / (sheet.height * 0.34)) * -1 + 1) ** 1.7
        curtain = rise * clamp(up / (sheet.height * 0.07)) * _folds(sheet, number)
        image = shine(image, mix(light, far, number / 3), clamp(curtain))
    ground = skyline(sheet, "snow", at=0.84, height=0.05, waves=1.5, rough=0.4)
    snow = vertical(sheet, [(0, mix(low, light, 0.35)), (0.82, mix(low, light, 0.35)), (1, near)])
    image = over(image, snow, below(sheet, ground))
    return finish(sheet, image, grain=4.5)


def _folds(sheet: Sheet, number: int) -> pyvips.Image:
    """Vertical rays: noise of one line, drawn down the whole height."""
    line = skyline(sheet, f"folds{number}", at=0, height=1, waves=14, rough=0.72)
    return columns(
        sheet, [min(1.0, max(0.12, 0.5 + value / sheet.height * 0.45)) for value in line]
    )


def _across(sheet: Sheet, *, tilt: float, width: float) -> pyvips.Image:
    """A soft band from corner to corner."""

    def draw(wide: int, tall: int) -> pyvips.Image:
        place = pyvips.Image.xyz(wide, tall)
        away = place[0] / wide - 0.5 + (place[1] / tall - 0.42) * tilt
        return (away * away * (-1.0 / (width * width))).exp()

    return smooth(sheet, draw)


def _points(sheet: Sheet, size: int, many: float) -> pyvips.Image:
    """Stars: the rarest values of noise; the larger the number, the fewer."""
    noise = pyvips.Image.gaussnoise(
        sheet.width >> size,
        sheet.height >> size,
        mean=0,
        sigma=1,
        seed=sheet.number(f"stars{size}"),
    )
    lights = clamp((noise - many) * 2.5)
    if size:
        lights = lights.resize(1 << size, kernel="linear")
    lights = clamp(lights.gaussblur(0.8) * 4)
    return lights.embed(0, 0, sheet.width, sheet.height, extend="copy")
