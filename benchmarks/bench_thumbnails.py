"""Compare ways to make the renditions of a photograph, in processor time.

    python -m benchmarks.bench_thumbnails [FOLDER] [--rounds 5]

FOLDER holds JPEG photographs (default: $PHOTOGRAPHS, else ../shared/images, else tests/data).
The ways take turns, photograph by photograph, and the best of the rounds counts, so that all
meet the same machine: what matters is the ratio. Every way makes the same set (96, 320 square;
640, 1280, 2048; WebP and JPEG of the same quality) upright and in sRGB; ours also starts its
process, looks for what cameras wrote, and makes the placeholder.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import django
from PIL import Image, ImageCms, ImageOps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from apps import thumbnails  # noqa: E402 - after the settings

RECIPE = thumbnails.Recipe()
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT.parent / "shared" / "images", ROOT / "tests" / "data")
NAMES = [f"{n}.{e}" for n in (*RECIPE.squares, *RECIPE.edges) for e in ("webp", "jpg")]


class Measured(NamedTuple):
    cpu: float
    seconds: float
    first: float


Way = Callable[[Path, Path], float]


def ours(source: Path, into: Path) -> float:
    started = time.perf_counter()
    steps = thumbnails.develop(source, into, RECIPE, seconds=120, pixels=10**8)
    next(steps)
    first = time.perf_counter() - started
    next(steps)
    return first


def ours_known(source: Path, into: Path) -> float:
    """All renditions exist: what is left is the process, the decoder and the scaler."""
    steps = thumbnails.develop(source, into, RECIPE, seconds=120, pixels=10**8, have=NAMES)
    for _ in steps:
        pass
    return 0.0


def easy(source: Path, into: Path) -> float:
    """As the usual thumbnail apps do: open, decode and scale the whole picture for each size."""
    for square in RECIPE.squares:
        image = ImageOps.fit(_whole(source), (square, square), Image.Resampling.LANCZOS)
        _save(image, into, square)
    for edge in RECIPE.edges:
        image = _whole(source)
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=None)
        _save(image, into, edge)
    return 0.0


def _whole(source: Path) -> Image.Image:
    image = ImageOps.exif_transpose(Image.open(source))
    return _in_srgb(image, image.info.get("icc_profile"))


def careful(source: Path, into: Path) -> float:
    """The best that Pillow can do: the decoder leaves half out, each size from the one above."""
    with Image.open(source) as image:
        profile = image.info.get("icc_profile")
        longest = max(image.size)
        image.draft("RGB", tuple(round(side * 4096 / longest) for side in image.size))
        image.thumbnail((2048, 2048), Image.Resampling.LANCZOS, reducing_gap=None)
        work = _in_srgb(ImageOps.exif_transpose(image), profile)
    for edge in reversed(RECIPE.edges):
        work.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=None)
        _save(work, into, edge)
    for square in reversed(RECIPE.squares):
        work = ImageOps.fit(work, (square, square), Image.Resampling.LANCZOS)
        _save(work, into, square)
    return 0.0


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(
        image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None
    return converted


def _save(image: Image.Image, into: Path, label: int) -> None:
    image.save(into / f"{label}.webp", quality=RECIPE.webp_quality, method=RECIPE.webp_effort)
    image.save(into / f"{label}.jpg", quality=RECIPE.jpeg_quality, optimize=True, exif=b"")


WAYS: dict[str, Way] = {
    "each size from the whole picture (Pillow)": easy,
    "one reduced decode, a chain (Pillow)": careful,
    "ours": ours,
    "ours without the encoders": ours_known,
}


def measure(way: Way, source: Path) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        before, started = _cpu(), time.perf_counter()
        first = way(source, Path(folder))
        return Measured(_cpu() - before, time.perf_counter() - started, first)


def _cpu() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def best(way: Way, source: Path, results: list[Measured]) -> Measured:
    results.append(measure(way, source))
    return Measured(*(min(values) for values in zip(*results, strict=True)))


def cost_of_a_process(rounds: int) -> Measured:
    """Return what a picture of one pixel costs: nearly nothing but its process."""
    with tempfile.TemporaryDirectory() as folder:
        pixel = Path(folder, "pixel.jpg")
        Image.new("RGB", (1, 1)).save(pixel)
        results: list[Measured] = []
        for _ in range(rounds * 3):
            lowest = best(ours, pixel, results)
        return lowest


def photographs(folder: str | None) -> list[Path]:
    wanted = folder or os.environ.get("PHOTOGRAPHS")
    folders = [Path(wanted)] if wanted else [path for path in FOLDERS if path.is_dir()][:1]
    return [path for path in sorted(folders[0].glob("*.jpg")) if path.stat().st_size > 100_000]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pictures = photographs(options.folder)
    totals = dict.fromkeys(WAYS, Measured(0, 0, 0))
    for picture in pictures:
        results: dict[str, list[Measured]] = {name: [] for name in WAYS}
        lowest = {}
        for _ in range(options.rounds):
            for name, way in WAYS.items():
                lowest[name] = best(way, picture, results[name])
        for name, value in lowest.items():
            totals[name] = Measured(*map(sum, zip(totals[name], value, strict=True)))
        print(f"{picture.name:34}", *(f"{value.cpu:7.3f}" for value in lowest.values()), flush=True)
    report(totals, len(pictures), cost_of_a_process(options.rounds))


def report(totals: dict[str, Measured], count: int, process: Measured) -> None:
    base = next(iter(totals.values()))
    print(f"\n{count} photographs, {sys.version.split()[0]}, Pillow {Image.__version__}\n")
    print(f"{'way':44} {'CPU s':>8} {'ratio':>6} {'photos/s/core':>14}")
    for name, total in totals.items():
        print(f"{name:44} {total.cpu:8.2f} {base.cpu / total.cpu:6.2f} {count / total.cpu:14.2f}")
    mine = totals["ours"]
    print(f"\nfirst light after {mine.first / mine.seconds:.2f} of the time")
    print(f"a process of its own: {1000 * process.cpu:.0f} ms, "
          f"{100 * process.cpu * count / mine.cpu:.0f} % of the work")  # fmt: skip


if __name__ == "__main__":
    main()
