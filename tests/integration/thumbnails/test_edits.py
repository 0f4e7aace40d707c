"""What the darkroom makes of a picture with edits, told by its pixels."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import pyvips
from PIL import Image, ImageStat

from apps.thumbnails import Crop, Developed, Edits, FirstLight, Recipe
from apps.thumbnails.darkroom import editing, loading
from tests.support import pictures
from tests.support.darkroom import develop, sizes
from tests.support.pictures import BLUE, GREEN, RED, WHITE, Colour

LEFT_HALF = Crop(left=0, top=0, width=0.5, height=1)
# How far JPEG may move a colour.
NEAR = 24
GREY = (110, 110, 110)


def edited(tmp_path: Path, edits: Edits, **picture: object) -> FirstLight:
    original = pictures.make_picture(**{"size": (1600, 1000), **picture})  # type: ignore[arg-type]
    *_, developed = develop(original, tmp_path, edits=edits)
    assert isinstance(developed, Developed)
    return developed


def plain(colour: Colour, mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (400, 300), colour).convert(mode)


def middle(path: Path) -> Colour:
    image = pictures.read(path).convert("RGB")
    value = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(value, tuple)
    red, green, blue = map(int, value)
    return red, green, blue


def is_near(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def lies_as(path: Path, *colours: Colour) -> bool:
    """Tell whether its corners have these colours: left and right above, then below."""
    return all(map(is_near, pictures.corners(path).values(), colours))


@pytest.mark.parametrize(
    ("turns", "colours"),
    [
        (0, (RED, GREEN, BLUE, WHITE)),
        (1, (BLUE, RED, WHITE, GREEN)),
        (2, (WHITE, BLUE, GREEN, RED)),
        (3, (GREEN, WHITE, RED, BLUE)),
    ],
)
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_turn_is_one_of_the_picture_as_it_stands_upright(
    turns: int, colours: tuple[Colour, ...], orientation: int, tmp_path: Path
) -> None:
    developed = edited(tmp_path, Edits(turns=turns), orientation=orientation)

    size = (1000, 1600) if turns % 2 else (1600, 1000)
    assert (developed.width, developed.height) == size
    assert sizes(developed)["640"] == ((400, 640) if turns % 2 else (640, 400))
    assert lies_as(tmp_path / "640.jpg", *colours)
    assert lies_as(tmp_path / "1280.webp", *colours)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "heic"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_crop_is_cut_out_of_the_turned_picture(
    kind: pictures.Format, orientation: int, tmp_path: Path
) -> None:
    edits = Edits(turns=1, crop=Crop(left=0.5, top=0, width=0.5, height=0.5))
    orientation = 1 if kind != "jpeg" else orientation

    developed = edited(tmp_path, edits, kind=kind, orientation=orientation)

    # The right upper quarter of a picture that lies on its right side: its own left upper one.
    assert (developed.width, developed.height) == (500, 800)
    corners = pictures.corners(tmp_path / "640.webp")
    assert is_near(corners["top right"], RED)
    assert not any(is_near(corners["bottom left"], colour) for colour in (RED, GREEN, BLUE))


def test_a_small_crop_of_a_large_picture_is_as_sharp_as_the_original_allows(
    tmp_path: Path,
) -> None:
    edits = Edits(crop=Crop(left=0.45, top=0.45, width=0.1, height=0.1))

    developed = edited(tmp_path, edits, size=(6000, 4000))

    assert (developed.width, developed.height) == (600, 400)
    assert sizes(developed)["640"] == (600, 400)


@pytest.mark.parametrize("orientation", [1, 6])
def test_how_much_of_a_picture_is_decoded_is_asked_of_it_as_it_stands_upright(
    orientation: int, tmp_path: Path
) -> None:
    source = tmp_path / "original"
    source.write_bytes(pictures.make_picture(size=(1600, 1000), orientation=orientation))
    asked: list[tuple[int, int]] = []

    def scale_needed(width: int, height: int) -> float:
        asked.append((width, height))
        return 1.0

    loading.load(source, pixels=10**7, scale_needed=scale_needed)

    assert asked == [(1600, 1000)]


@pytest.mark.parametrize("width", [0.05, 0.3333, 0.6667, 0.9999])
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (641, 479), (1999, 1001)])
def test_no_crop_reaches_beyond_an_edge(
    width: float, size: tuple[int, int], tmp_path: Path
) -> None:
    crop = Crop(left=1 - width, top=1 - width, width=width, height=width)

    developed = edited(tmp_path, Edits(crop=crop, turns=1), size=size)

    high, wide = size
    assert developed.width == max(1, round(wide * crop.width))
    assert developed.height == max(1, round(high * crop.height))


# --- Tone -----------------------------------------------------------------------------------------
def test_brightness_bends_the_middle_and_leaves_black_and_white(tmp_path: Path) -> None:
    seen = {}
    for brightness in (-50, 0, 50):
        edits = Edits(brightness=brightness)
        edited(tmp_path, edits, kind="png", image=plain(GREY))
        grey = middle(tmp_path / "640.jpg")[0]
        edited(tmp_path, edits, kind="png", image=plain((0, 0, 0)))
        black = middle(tmp_path / "640.jpg")[0]
        edited(tmp_path, edits, kind="png", image=plain((255, 255, 255)))
        seen[brightness] = (black, grey, middle(tmp_path / "640.jpg")[0])

    assert seen[-50][1] < seen[0][1] - 20 < seen[0][1] + 20 < seen[50][1]
    assert {(black, white) for black, _, white in seen.values()} == {(0, 255)}


def test_contrast_spreads_the_tones_and_takes_them_together(tmp_path: Path) -> None:
    spread = {}
    for contrast in (-100, 0, 100):
        edited(tmp_path, Edits(contrast=contrast))
        grey = pictures.read(tmp_path / "640.jpg").convert("L")
        spread[contrast] = ImageStat.Stat(grey).stddev[0]

    assert spread[-100] < 0.7 * spread[0]
    assert spread[100] > 1.3 * spread[0]


def test_without_saturation_a_picture_is_grey(tmp_path: Path) -> None:
    edited(tmp_path, Edits(saturation=-100), image=plain((200, 60, 60)))

    red, green, blue = middle(tmp_path / "640.jpg")
    assert max(red, green, blue) - min(red, green, blue) <= 2
    assert abs(red - (0.2126 * 200 + 0.7874 * 60)) <= 3


def test_a_tone_is_rounded_to_its_nearest_level() -> None:
    colour = pyvips.Image.black(2, 2, bands=3).linear(1, [200, 60, 61]).cast("uchar")
    edits = msgspec.structs.asdict(Edits(saturation=-50))

    toned = editing.apply(colour, edits, size=(2, 2))  # type: ignore[arg-type]

    # The light of the colour is 89.84; each is half-way there: 144.92, 74.92 and 75.42.
    assert toned(0, 0) == [145, 75, 75]


def test_saturation_drives_colours_apart(tmp_path: Path) -> None:
    edited(tmp_path, Edits(saturation=100), image=plain((140, 110, 110)))

    red, green, _ = middle(tmp_path / "640.jpg")
    assert red - green > 45


def test_a_warm_picture_has_more_red_and_less_blue(tmp_path: Path) -> None:
    edited(tmp_path, Edits(warmth=100), image=plain(GREY))
    warm = middle(tmp_path / "640.jpg")
    edited(tmp_path, Edits(warmth=-100), image=plain(GREY))
    cold = middle(tmp_path / "640.jpg")

    assert warm[0] > warm[1] + 15
    assert warm[2] < warm[1] - 15
    assert is_near(cold, warm[::-1])


def test_transparency_is_left_as_it_is(tmp_path: Path) -> None:
    image = plain(GREY, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    before = Edits(turns=2)
    edited(tmp_path, before, kind="png", image=image)
    untouched = pictures.read(tmp_path / "640.webp").getchannel("A").tobytes()

    edited(tmp_path, Edits(turns=2, saturation=-50, contrast=50), kind="png", image=image)

    assert pictures.read(tmp_path / "640.webp").getchannel("A").tobytes() == untouched


# --- A recipe of one size -------------------------------------------------------------------------
def test_a_preview_makes_one_file(tmp_path: Path) -> None:
    recipe = Recipe(name="preview", squares=(), edges=(640,), extensions=("webp",))

    first, _ = develop(pictures.make_picture(size=(3000, 2000)), tmp_path, recipe=recipe)

    assert [(made.name, made.width) for made in first.renditions] == [("640.webp", 640)]
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["640.webp"]


def test_a_recipe_makes_what_browsers_show() -> None:
    with pytest.raises(ValueError, match="webp"):
        Recipe(extensions=("bmp",))
    with pytest.raises(ValueError, match="webp"):
        Recipe(extensions=())
