"""The values that come back from the darkroom."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from apps.thumbnails.formats import Format

# What a camera writes about itself is shown on pages: short and without control characters.
_Words = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
_Side = Annotated[int, Meta(ge=1, le=100_000)]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of a picture.

    Change `name` whenever another value changes: it is part of every address, and what was made
    by an older recipe stays where it is until it is made anew.
    """

    name: str = "1"
    # Cut out of the middle of interest; the side in pixels.
    squares: tuple[int, ...] = (96, 320)
    # Whole picture; the longest edge in pixels.
    edges: tuple[int, ...] = (640, 1280, 2048)
    extensions: tuple[str, ...] = ("webp", "jpg")
    webp_quality: int = 80
    webp_effort: int = 2
    jpeg_quality: int = 82

    def __post_init__(self) -> None:
        sizes = (*self.squares, *self.edges)
        if not sizes or len(set(sizes)) < len(sizes) or not all(0 < n < 10**5 for n in sizes):
            raise ValueError("a recipe needs sizes, each of them once and from 1 to 99999")
        if not self.extensions or not set(self.extensions) <= {"webp", "jpg"}:
            raise ValueError("a recipe makes webp, jpg or both")
        if not re.fullmatch(r"[a-z0-9]{1,12}", self.name):
            raise ValueError("the name of a recipe is one to twelve small letters or digits")


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """One size of a picture in one format.

    `name` says the size that was asked for ("1280.webp"); `width` and `height` are true. A
    rendition that the caller said it has (`have`) was not made again: it has no path.
    """

    name: str
    width: int
    height: int
    path: Path | None = None
    bytes: int | None = None


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """What the camera wrote about the exposure, cleaned; never where it was made.

    `exposure` is in seconds as photographers write it ("1/250", "2.5"). `taken_at` has a zone
    only if the camera knew it; without one it is the time on the camera's clock.
    """

    make: _Words | None = None
    model: _Words | None = None
    lens: _Words | None = None
    f_number: Annotated[float, Meta(gt=0, le=1000)] | None = None
    exposure: _Words | None = None
    iso: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    focal_length: Annotated[float, Meta(gt=0, le=100_000)] | None = None
    taken_at: datetime | None = None


class FirstLight(msgspec.Struct, frozen=True, kw_only=True):
    """The small sizes and what is known of the picture: enough for a page to show it.

    `width` and `height` are those of the original, turned upright and with its edits.
    `placeholder` is a ready `data:image/webp;base64,…` of some 150 characters for the `src` of an
    `<img>` below the real one: the site's content security policy forbids `style` attributes, and
    a visitor without JavaScript sees it too. `thumbhash` is the same impression as a ThumbHash in
    base64, for clients that draw their own.
    """

    format: Format
    width: int
    height: int
    placeholder: str
    thumbhash: str
    camera: Camera | None
    renditions: list[Rendition]


class Developed(FirstLight, frozen=True, kw_only=True):
    """Every size; repeats what first light said."""


class WireRendition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the darkroom says of a file that it made; where it lies is ours to know."""

    name: str
    width: _Side
    height: _Side
    made: bool


class WireStep(msgspec.Struct, frozen=True, kw_only=True, tag_field="step"):
    """One line from the darkroom, which is believed only as far as these types go."""

    format: Format
    width: _Side
    height: _Side
    placeholder: Annotated[
        str, Meta(max_length=2000, pattern=r"^data:image/webp;base64,[A-Za-z0-9+/=]+\Z")
    ]
    thumbhash: Annotated[str, Meta(max_length=60, pattern=r"^[A-Za-z0-9+/=]+\Z")]
    camera: Camera | None
    renditions: Annotated[list[WireRendition], Meta(max_length=100)]


class WireFirstLight(WireStep, frozen=True, kw_only=True, tag="first_light"): ...


class WireDeveloped(WireStep, frozen=True, kw_only=True, tag="developed"): ...


class WireRefusal(msgspec.Struct, frozen=True, kw_only=True, tag_field="step", tag="refused"):
    code: str
    detail: str = ""


WireLine = WireFirstLight | WireDeveloped | WireRefusal
