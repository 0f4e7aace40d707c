"""Whatever a file keeps its colours in, its renditions show the right ones in 8-bit sRGB."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tests.support import pictures
from tests.support.darkroom import develop

ORANGE = (210, 120, 40)


def solid(colour: object, mode: str = "RGB", size: tuple[int, int] = (700, 500)) -> Image.Image:
    return Image.new(mode, size, colour)  # type: ignore[arg-type]


def colour_of(path: Path) -> pictures.Colour:
    """Return the colour in the middle of a rendition."""
    assert pictures.read(path).mode in {"RGB", "RGBA"}
    return pictures.corners(path)["top left"]


def in_srgb(colour: pictures.Colour, profile: bytes) -> pictures.Colour:
    """Return a colour of that profile as sRGB, by Pillow's colour management."""
    image = ImageCms.profileToProfile(
        solid(colour), ImageCms.getOpenProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert image is not None
    return image.getpixel((0, 0))  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif", "heic"])
def test_a_wide_gamut_picture_comes_out_in_srgb(kind: pictures.Format, tmp_path: Path) -> None:
    profile = pictures.wide_gamut_profile()
    expected = in_srgb(ORANGE, profile)
    assert not pictures.is_close(expected, ORANGE, within=10), "the test's colours differ"

    develop(pictures.make_picture(kind, image=solid(ORANGE), icc_profile=profile), tmp_path)

    for name in ("96.jpg", "640.webp", "1280.jpg"):
        assert pictures.is_close(colour_of(tmp_path / name), expected, within=6), name


def test_a_picture_without_profile_keeps_its_colours(tmp_path: Path) -> None:
    develop(pictures.make_picture(image=solid(ORANGE)), tmp_path)

    assert pictures.is_close(colour_of(tmp_path / "640.webp"), ORANGE, within=6)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_profile_that_cannot_be_used_is_as_good_as_none(mode: str, tmp_path: Path) -> None:
    original = pictures.make_picture(image=solid(ORANGE).convert(mode), icc_profile=b"no profile")

    develop(original, tmp_path)

    expected = ORANGE if mode == "RGB" else (138, 138, 138)
    assert pictures.is_close(colour_of(tmp_path / "640.jpg"), expected, within=6)


def test_the_profile_of_another_kind_of_picture_does_not_stop_us(tmp_path: Path) -> None:
    original = pictures.make_picture(
        image=solid(128, "L"), icc_profile=pictures.wide_gamut_profile()
    )

    develop(original, tmp_path)

    assert pictures.is_close(colour_of(tmp_path / "640.jpg"), (128, 128, 128), within=10)


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_print_colours_become_screen_colours(kind: pictures.Format, tmp_path: Path) -> None:
    red_ink = solid((0, 255, 255, 0), "CMYK")

    develop(pictures.make_picture(kind, image=red_ink), tmp_path)

    red, green, blue = colour_of(tmp_path / "640.jpg")
    assert red > 190
    assert max(green, blue) < 90


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_become_eight(kind: pictures.Format, tmp_path: Path) -> None:
    original = pictures.make_picture(kind, image=solid(0x8000, "I;16"))

    develop(original, tmp_path)

    assert pictures.is_close(colour_of(tmp_path / "640.webp"), (128, 128, 128), within=3)


@pytest.mark.parametrize(
    ("kind", "mode", "colour", "expected"),
    [
        ("jpeg", "L", 90, (90, 90, 90)),
        ("png", "1", 1, (255, 255, 255)),
        ("png", "P", 0, (0, 0, 0)),
        ("tiff", "1", 0, (0, 0, 0)),
        ("tiff", "L", 90, (90, 90, 90)),
        ("webp", "L", 90, (90, 90, 90)),
    ],
)
def test_grey_and_palette_become_colours(
    kind: pictures.Format, mode: str, colour: int, expected: pictures.Colour, tmp_path: Path
) -> None:
    develop(pictures.make_picture(kind, image=solid(colour, mode)), tmp_path)

    assert pictures.is_close(colour_of(tmp_path / "640.webp"), expected, within=4)
    assert pictures.is_close(colour_of(tmp_path / "320.jpg"), expected, within=4)


@pytest.mark.parametrize("kind", ["png", "webp", "avif", "heic", "tiff", "gif"])
def test_what_is_clear_stays_clear_in_webp_and_is_white_in_jpeg(
    kind: pictures.Format, tmp_path: Path
) -> None:
    image = solid((*ORANGE, 255), "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 350, 500))

    develop(pictures.make_picture(kind, image=image), tmp_path)

    webp = pictures.read(tmp_path / "640.webp")
    assert webp.mode == "RGBA"
    assert webp.getpixel((60, 200))[3] < 10  # type: ignore[index]
    assert webp.getpixel((600, 200))[3] > 245  # type: ignore[index]
    corners = pictures.corners(tmp_path / "640.jpg")
    assert pictures.is_close(corners["top left"], (255, 255, 255), within=6)
    assert pictures.is_close(corners["top right"], ORANGE, within=8)


def test_an_edge_of_clear_pixels_has_no_dark_seam(tmp_path: Path) -> None:
    image = Image.new("RGBA", (1400, 1000), (0, 0, 0, 0))
    image.paste((250, 250, 250, 255), (703, 0, 1400, 1000))

    develop(pictures.make_picture("png", image=image), tmp_path)

    row = pictures.read(tmp_path / "640.jpg").convert("L").crop((280, 200, 360, 201))
    assert min(row.tobytes()) > 235


def test_only_the_first_frame_of_an_animation_is_shown(tmp_path: Path) -> None:
    frames = [solid((0, 200, 0)), solid((200, 0, 0)), solid((0, 0, 200))]
    for kind in ("gif", "webp"):
        original = pictures.make_picture(
            kind, image=frames[0], save_all=True, append_images=frames[1:], duration=100
        )

        first, developed = develop(original, tmp_path)

        assert (first.width, first.height) == (700, 500)
        assert pictures.is_close(colour_of(tmp_path / "640.jpg"), (0, 200, 0), within=8)
        assert not getattr(pictures.read(tmp_path / "640.webp"), "is_animated", False)
        assert len(developed.renditions) == 8
