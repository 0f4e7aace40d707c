"""Open a picture with the one decoder of its format, checked from its header first."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from apps.thumbnails.darkroom import exif, guards
from apps.thumbnails.darkroom.refusing import Refusal
from apps.thumbnails.formats import HEAD_BYTES, Format, sniff

if TYPE_CHECKING:
    import pillow_heif

# The EXIF orientations above this one swap the sides.
_UPRIGHT = 4
# libvips' loaders by name, so that nothing else it can read (SVG, PDF, …) is ever tried.
_LOADERS: dict[Format, Callable[..., pyvips.Image]] = {
    "jpeg": pyvips.Image.jpegload,
    "png": pyvips.Image.pngload,
    "webp": pyvips.Image.webpload,
    "gif": pyvips.Image.gifload,
    "tiff": pyvips.Image.tiffload,
    "avif": pyvips.Image.heifload,
}


class Picture(NamedTuple):
    """A picture about to be decoded: `image` may be smaller than the file.

    It lies as in the file; `is_turned` says that its sides are swapped when it stands upright.
    """

    format: Format
    image: pyvips.Image
    width: int  # of the whole picture, upright
    height: int
    is_turned: bool
    camera: exif.Camera | None


def recognise(path: Path) -> Format | None:
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES))


def load(path: Path, *, pixels: int, scale_needed: Callable[[int, int], float]) -> Picture:
    """Open `path`, leaving twice as much of it as `scale_needed(width, height)`, upright, says.

    Raises Refusal for what is no picture or not one for us.
    """
    kind = recognise(path)
    if kind is None:
        raise Refusal("not_a_picture")
    if kind == "jpeg":
        guards.check_scans(path)
    if kind == "heic":
        return _load_heic(path, pixels=pixels)
    tags = _tags_of_tiff(path) if kind == "tiff" else None
    whole = _open(kind, path)
    frames = _header(whole, "n-pages", 1)
    guards.check_size(whole.width, whole.height, pixels=pixels, frames=frames)
    if tags is None:
        tags = _tags_of(whole)
    is_turned = _header(whole, "orientation", 1) > _UPRIGHT
    width, height = (whole.height, whole.width) if is_turned else (whole.width, whole.height)
    # Twice the pixels that are needed: a scaler that starts from just enough makes soft pictures.
    image = _open_smaller(kind, path, whole, 0.5 / scale_needed(width, height))
    return Picture(kind, image, width, height, is_turned, exif.camera_of(tags))


def _open(kind: Format, path: Path, **options: object) -> pyvips.Image:
    # Half a picture must not pass for a whole one; stricter, real cameras' files would fail for
    # harmless warnings. The TIFF loader takes an end of the file for an error like any other.
    fail_on = "error" if kind == "tiff" else "truncated"
    return _LOADERS[kind](str(path), access="sequential", fail_on=fail_on, **options)


def _open_smaller(kind: Format, path: Path, whole: pyvips.Image, spare: float) -> pyvips.Image:
    """Let the decoder itself leave out what is not needed, where it can."""
    if kind == "jpeg":
        shrink = next((by for by in (8, 4, 2) if by <= spare), 1)
        return _open(kind, path, shrink=shrink) if shrink > 1 else whole
    if kind == "webp" and spare > 1:
        return _open(kind, path, scale=1 / spare)
    return whole


def _header(image: pyvips.Image, field: str, default: int) -> int:
    return int(image.get(field)) if image.get_typeof(field) else default


def _tags_of(image: pyvips.Image) -> dict[int, exif.Value]:
    if not image.get_typeof("exif-data"):
        return {}
    return exif.read_tags(bytes(image.get("exif-data")).removeprefix(b"Exif\0\0"))


def _tags_of_tiff(path: Path) -> dict[int, exif.Value]:
    """Return the tags of a TIFF, refusing cameras' raw files that dress as one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        tags = exif.read_tags(data)
    subfile = tags.get(exif.SUBFILE_TYPE, 0)
    if exif.DNG_VERSION in tags or (isinstance(subfile, int) and subfile & 1):
        raise Refusal("unsupported", "the first page is the preview of a raw file")
    return tags


def _load_heic(path: Path, *, pixels: int) -> Picture:
    """Open a HEIC, whose codec libvips' wheel lacks, with libheif; it comes upright."""
    import pillow_heif  # noqa: PLC0415 - see developing.prepare

    options = pillow_heif.options
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    try:
        heif = pillow_heif.open_heif(path)
        guards.check_size(*heif.size, pixels=pixels)
        image = _image_of(heif)
    except (ValueError, LookupError, EOFError, SyntaxError, RuntimeError) as error:
        raise Refusal("damaged", str(error)) from error
    tags = exif.read_tags((heif.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    return Picture(
        format="heic",
        image=image,
        width=image.width,
        height=image.height,
        is_turned=False,
        camera=exif.camera_of(tags),
    )


def _image_of(heif: pillow_heif.HeifFile) -> pyvips.Image:
    """Decode, and wrap the pixels with their profile."""
    data = heif.data
    width, height = heif.size
    bands = len(data) // (width * height)
    image = pyvips.Image.new_from_memory(data, width, height, bands, "uchar")
    image = image.copy(interpretation="srgb" if bands > 2 else "b-w")  # noqa: PLR2004
    if heif.mode.endswith("a"):
        image = image.unpremultiply().cast("uchar")
    if profile := heif.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image
