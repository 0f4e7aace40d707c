"""From the catalogue to files: drawn once, then kept."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyvips

from apps.operations.demo import land, near, sky
from apps.operations.demo.cast import Person
from apps.operations.demo.catalogue import CAMERAS, PALETTES, Shot
from apps.operations.demo.light import Sheet, disc, finish, glow, mix, over, shine, skyline
from apps.operations.demo.light import below as ground
from apps.operations.demo.light import vertical as gradient

Scene = Callable[[Sheet, land.Palette], pyvips.Image]

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        land.hills, land.peaks, land.dunes, land.forest, land.meadow,
        sky.sea, sky.lake, sky.stars, sky.aurora,
        near.town, near.fern, near.bokeh, near.window, near.petals,
    )
}  # fmt: skip
AVATAR = 480
# Drawn smaller and then enlarged: four times as fast, and no eye finds it under the grain.
ENLARGE = 1.6
QUALITY = 88


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Draws into a folder what is not in it yet; `scale` makes smaller pictures."""

    folder: Path
    scale: float = 1.0

    def draw_shot(self, shot: Shot) -> Path:
        width, height = (round(side * self.scale / ENLARGE) for side in shot.size)
        sheet = Sheet(width=width, height=height, seed=_seed(shot.slug), enlarge=ENLARGE)
        # The size is in the name, so that a small one is never taken for the other.
        file = self.folder / f"{shot.slug}-{width}x{height}.jpg"
        scene, palette = SCENES[shot.scene], PALETTES[shot.palette]
        return _keep(file, lambda: _with_camera(scene(sheet, palette), shot))

    def draw_avatar(self, person: Person) -> Path:
        """Draw a small abstract portrait: a sun over hills in the person's colours."""
        sheet = Sheet(width=AVATAR, height=AVATAR, seed=_seed(person.username))
        file = self.folder / "avatars" / f"{person.username}.jpg"
        return _keep(file, lambda: _portrait(sheet, person.colours))


def _seed(name: str) -> int:
    return zlib.crc32(name.encode())


def _keep(file: Path, draw: Callable[[], pyvips.Image]) -> Path:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: the next run must not find half a picture.
        unfinished = file.with_suffix(f".{os.getpid()}.part")
        draw().jpegsave(str(unfinished), Q=QUALITY)
        unfinished.replace(file)
    return file


def _portrait(sheet: Sheet, colours: tuple[str, str, str]) -> pyvips.Image:
    high, low, sun = colours
    across = sheet.random("sun").uniform(0.36, 0.64)
    image = gradient(sheet, [(0, high), (1, mix(high, sun, 0.55))])
    image = shine(image, sun, glow(sheet, across, 0.42, radius=0.2))
    image = over(image, sun, disc(sheet, across, 0.42, radius=0.17, soft=2))
    for number in range(2):
        line = skyline(
            sheet, f"hill{number}", at=0.62 + 0.16 * number, height=0.1, waves=1.2, rough=0.3
        )
        image = over(image, mix(high, low, 0.55 + 0.45 * number), ground(sheet, line))
    return finish(sheet, image, grain=2, vignette=0.15)


def _with_camera(image: pyvips.Image, shot: Shot) -> pyvips.Image:
    camera = CAMERAS[shot.owner]
    f_number, exposure, sensitivity, length = shot.exposure
    fields = {
        "exif-ifd0-Make": camera.make,
        "exif-ifd0-Model": camera.model,
        "exif-ifd2-LensModel": camera.lens,
        "exif-ifd2-FNumber": f_number,
        "exif-ifd2-ExposureTime": exposure,
        "exif-ifd2-ISOSpeedRatings": str(sensitivity),
        "exif-ifd2-FocalLength": length,
        "exif-ifd2-DateTimeOriginal": shot.taken,
    }
    image = image.copy()
    for name, value in fields.items():
        image.set_type(pyvips.GValue.gstr_type, name, value)
    return image
