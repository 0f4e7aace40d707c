"""What comes back for a good picture."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from apps import thumbnails
from tests.support import pictures
from tests.support.darkroom import develop, sizes


def test_a_photograph_comes_back_in_every_size(tmp_path: Path) -> None:
    original = pictures.make_picture(size=(3000, 2000))

    first, developed = develop(original, tmp_path)

    assert type(first) is thumbnails.FirstLight
    assert sizes(first) == {"96": (96, 96), "320": (320, 320), "640": (640, 427)}
    assert type(developed) is thumbnails.Developed
    assert sizes(developed) == sizes(first) | {"1280": (1280, 853), "2048": (2048, 1365)}
    assert (developed.width, developed.height) == (3000, 2000)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"])
def test_every_format_is_developed(kind: pictures.Format, tmp_path: Path) -> None:
    original = pictures.make_picture(kind, size=(900, 600))

    *_, developed = develop(original, tmp_path)

    assert developed.format == kind
    assert all(
        pictures.is_upright(rendition.path)
        for rendition in developed.renditions
        if rendition.path and rendition.width != rendition.height
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(orientation: int, tmp_path: Path) -> None:
    original = pictures.make_picture(size=(1500, 900), orientation=orientation)

    *_, developed = develop(original, tmp_path)

    assert (developed.width, developed.height) == (1500, 900)
    assert sizes(developed)["1280"] == (1280, 768)
    assert pictures.is_upright(tmp_path / "1280.jpg")
    assert pictures.is_upright(tmp_path / "640.webp")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1), {"96": (1, 1), "320": (1, 1), "640": (1, 1)}),
        ((200, 150), {"96": (96, 96), "320": (150, 150), "640": (200, 150)}),
        ((640, 640), {"96": (96, 96), "320": (320, 320), "640": (640, 640)}),
        (
            (641, 400),
            {"96": (96, 96), "320": (320, 320), "640": (640, 399), "1280": (641, 400)},
        ),
        (
            (90, 4500),  # 1:50
            {
                "96": (90, 90),
                "320": (90, 90),
                "640": (13, 640),
                "1280": (26, 1280),
                "2048": (41, 2048),
            },
        ),
        (
            (12_000, 340),  # its squares need more of it than its largest whole rendition
            {
                "96": (96, 96),
                "320": (320, 320),
                "640": (640, 18),
                "1280": (1280, 36),
                "2048": (2048, 58),
            },
        ),
    ],
)
def test_nothing_is_enlarged_and_the_largest_is_there(
    size: tuple[int, int], expected: dict[str, tuple[int, int]], tmp_path: Path
) -> None:
    *_, developed = develop(pictures.make_picture(size=size), tmp_path)

    assert (developed.width, developed.height) == size
    assert sizes(developed) == expected


def test_the_files_are_as_large_as_they_say(tmp_path: Path) -> None:
    *_, developed = develop(pictures.make_picture(size=(1500, 1000), orientation=8), tmp_path)

    for rendition in developed.renditions:
        assert rendition.path
        assert pictures.read(rendition.path).size == (rendition.width, rendition.height)
        assert rendition.path.stat().st_size == rendition.bytes


def test_first_light_comes_before_the_large_sizes_are_made(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(pictures.make_picture(size=(2600, 2000)))
    recipe = thumbnails.Recipe(webp_effort=6)
    steps = thumbnails.develop(source, tmp_path, recipe, seconds=60, pixels=10**8)

    first = next(steps)

    assert all(rendition.path and rendition.path.exists() for rendition in first.renditions)
    assert not (tmp_path / "2048.jpg").exists()
    assert isinstance(next(steps), thumbnails.Developed)
    assert (tmp_path / "2048.jpg").exists()


def test_a_recipe_says_what_is_made(tmp_path: Path) -> None:
    avatar = thumbnails.Recipe(name="a1", squares=(48, 96, 192), edges=())
    original = pictures.make_picture(size=(800, 500))

    first, developed = develop(original, tmp_path, recipe=avatar)

    assert sizes(first) == {"48": (48, 48), "96": (96, 96), "192": (192, 192)}
    assert developed.renditions == first.renditions
    assert developed.placeholder.startswith("data:image/webp;base64,")


def test_each_rendition_lies_exactly_over_its_original(tmp_path: Path) -> None:
    """A scaler that lets fractions of a pixel add up along the chain fails here."""
    drawing = pictures.draw((3001, 1999))
    original = pictures.make_picture("png", image=drawing)

    develop(original, tmp_path, recipe=thumbnails.Recipe(jpeg_quality=100))

    for label in ("2048", "1280", "640"):
        made = pictures.read(tmp_path / f"{label}.jpg")
        expected = drawing.resize(made.size, Image.Resampling.LANCZOS)
        difference = ImageStat.Stat(ImageChops.difference(made, expected))
        assert max(difference.mean) < 1.0, label


def test_a_square_holds_what_draws_the_eye(tmp_path: Path) -> None:
    image = Image.new("RGB", (1200, 400), (90, 120, 90))
    ImageDraw.Draw(image).ellipse((1000, 120, 1160, 280), fill=(230, 60, 40))

    develop(pictures.make_picture(image=image), tmp_path)

    reds = pictures.read(tmp_path / "320.jpg").getchannel("R")
    assert ImageStat.Stat(reds).extrema[0][1] > 200


def test_the_placeholder_looks_like_the_picture(tmp_path: Path) -> None:
    first, developed = develop(pictures.make_picture(size=(900, 600)), tmp_path)

    placeholder = base64.b64decode(first.placeholder.partition(",")[2])

    assert pictures.read(placeholder).size == (16, 11)
    corners = pictures.corners(placeholder)
    assert pictures.is_close(corners["top left"], pictures.RED, within=60)
    assert pictures.is_close(corners["bottom left"], pictures.BLUE, within=60)
    assert len(base64.b64decode(first.thumbhash)) in range(15, 26)
    assert (developed.placeholder, developed.thumbhash) == (first.placeholder, first.thumbhash)


def test_what_is_there_already_is_named_and_not_made(tmp_path: Path) -> None:
    have = {"96.webp", "640.jpg", "2048.webp"}

    _, developed = develop(pictures.make_picture(size=(2500, 1500)), tmp_path, have=have)

    assert {r.name for r in developed.renditions if r.path is None} == have
    assert {r.name for r in developed.renditions if r.bytes is None} == have
    assert not any((tmp_path / name).exists() for name in have)
    assert sizes(developed)["2048"] == (2048, 1229)


def test_the_same_picture_makes_the_same_files(tmp_path: Path) -> None:
    original = pictures.make_picture(size=(1000, 800))
    files = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        develop(original, folder)
        files.append({path.name: path.read_bytes() for path in folder.glob("*.*")})

    assert files[0] == files[1]


@pytest.mark.parametrize(
    "mistake",
    [
        {"squares": (), "edges": ()},
        {"squares": (640,)},  # which is an edge already
        {"edges": (0, 640)},
        {"edges": (100_000,)},
        {"name": "../1"},
        {"name": ""},
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="recipe"):
        thumbnails.Recipe(**mistake)
