"""From one decoded picture to all its sizes: each made from the one above, to the exact pixel.

1. A working copy is scaled straight from the decoder, while the picture still lies as in the
   file. It is as large as the largest rendition, or larger if a narrow picture's squares need it.
2. It becomes 8-bit sRGB and is turned upright; from here on everything is small and in memory.
   What its owner wants done to it (`editing`) is done here.
3. Each edge is scaled from the one above. Exact sizes (`size="force"`) matter: left to itself
   the scaler keeps fractions of a pixel that add up along the chain and show as softness.
4. Squares are cut from the smallest that is large enough, around what draws the eye.
"""

from __future__ import annotations

import base64
from typing import TypedDict

import pyvips

from apps.thumbnails.darkroom import thumbhash

_OPAQUE = 3
_PLACEHOLDER_SIDE = 16
# ThumbHash keeps seven waves across: more pixels than these only cost time.
_HASH_SIDE = 32


class Recipe(TypedDict):
    """What `pictures.Recipe` asks for, as it comes over the wire."""

    squares: list[int]
    edges: list[int]
    extensions: list[str]
    webp_quality: int
    webp_effort: int
    jpeg_quality: int


def scale_needed(recipe: Recipe, width: int, height: int) -> float:
    """Return how large the working copy must be, as a share of the picture; at most 1."""
    longest, shortest = max(width, height), min(width, height)
    edge = max(recipe["edges"], default=1) / longest
    square = max(recipe["squares"], default=1) / shortest
    return min(1.0, max(edge, square))


def edges_for(recipe: Recipe, longest: int) -> list[int]:
    """Return the edges to make, smallest first: those below the picture's own and the next one.

    The next one up keeps the picture's own size, so nothing is enlarged and the largest exists.
    """
    edges = sorted(recipe["edges"])
    smaller = sum(edge < longest for edge in edges)
    return edges[: smaller + 1]


def fit(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def working_copy(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Return `image` scaled to exactly that size (as it lies in the file), sRGB and upright."""
    if image.interpretation == "cmyk":  # thumbnail_image would convert every pixel first
        image = image.resize(width / image.width, vscale=height / image.height)
    else:
        image = _scaled(image, width, height)
    # Every pixel is read here; what fails later has nothing to do with the file being whole.
    return _as_srgb(image.copy_memory()).autorot().copy_memory()


def _scaled(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return image.thumbnail_image(width, height=height, size="force", no_rotate=True)


def _as_srgb(image: pyvips.Image) -> pyvips.Image:
    """Convert to 8-bit sRGB with three or four bands.

    Only a picture that carries a profile pays for the conversion: for all others the export to
    sRGB would change nothing and cost more than the rest of the work.
    """
    is_cmyk = image.interpretation == "cmyk"
    if image.get_typeof("icc-profile-data") or is_cmyk:
        try:
            fallback = "cmyk" if is_cmyk else "srgb"
            image = image.icc_transform("srgb", embedded=True, input_profile=fallback)
            image = image.copy_memory()
        except pyvips.Error:  # a profile that cannot be used is as good as none
            pass
    image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    bands = _OPAQUE + image.hasalpha()
    return image.extract_band(0, n=bands) if image.bands > bands else image


def whole_prints(
    work: pyvips.Image, recipe: Recipe, width: int, height: int
) -> dict[int, pyvips.Image]:
    """Return the whole picture (`width` x `height` upright in the file) by edge, largest first."""
    prints: dict[int, pyvips.Image] = {}
    longest = max(width, height)
    for edge in reversed(edges_for(recipe, longest)):
        size = fit(width, height, min(1.0, edge / longest))
        if size != (work.width, work.height):
            work = _scaled(work, *size).copy_memory()
        prints[edge] = work
    return prints


def square_prints(images: list[pyvips.Image], recipe: Recipe) -> dict[int, pyvips.Image]:
    """Return the squares by side, largest first, cut from one of `images` (largest first)."""
    prints: dict[int, pyvips.Image] = {}
    source: pyvips.Image | None = None
    for square in sorted(recipe["squares"], reverse=True):
        if source is None:
            source = _cut(images, square)
        else:
            side = min(square, source.width)
            source = _scaled(source, side, side).copy_memory()
        prints[square] = source
    return prints


def _cut(images: list[pyvips.Image], square: int) -> pyvips.Image:
    side = min(square, images[0].width, images[0].height)
    enough = [image for image in images if min(image.width, image.height) >= side]
    source = enough[-1]
    scale = side / min(source.width, source.height)
    covering = _scaled(source, *fit(source.width, source.height, scale))
    return covering.copy_memory().smartcrop(side, side, interesting="attention").copy_memory()


def encode(image: pyvips.Image, extension: str, recipe: Recipe) -> bytes:
    """Return the file of a rendition, with nothing in it but pixels."""
    if extension == "webp":
        return bytes(
            image.webpsave_buffer(
                Q=recipe["webp_quality"], effort=recipe["webp_effort"], keep="none"
            )
        )
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    return bytes(image.jpegsave_buffer(Q=recipe["jpeg_quality"], optimize_coding=True, keep="none"))


def placeholder(image: pyvips.Image) -> str:
    """Return a picture of sixteen pixels as a `data:` address."""
    small = _within(image, _PLACEHOLDER_SIDE)
    data = small.webpsave_buffer(Q=20, alpha_q=20, effort=4, keep="none")
    return "data:image/webp;base64," + base64.b64encode(data).decode("ascii")


def impression(image: pyvips.Image) -> str:
    """Return the ThumbHash of the picture in base64."""
    small = _within(image, _HASH_SIDE)
    if not small.hasalpha():
        small = small.addalpha()
    rgba = bytes(small.cast("uchar").write_to_memory())
    return base64.b64encode(thumbhash.encode(small.width, small.height, rgba)).decode("ascii")


def _within(image: pyvips.Image, side: int) -> pyvips.Image:
    scale = min(1.0, side / max(image.width, image.height))
    return _scaled(image, *fit(image.width, image.height, scale))
