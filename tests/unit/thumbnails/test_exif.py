"""What a camera wrote, and what of it is fit to be shown."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.thumbnails.darkroom import exif
from tests.support import pictures


def read(camera: Mapping[int, object] | None = None, *, gps: bool = False) -> exif.Camera | None:
    block = pictures.make_exif(camera=camera, gps=gps)
    return exif.camera_of(exif.read_tags(block.removeprefix(b"Exif\0\0")))


def test_camera_lens_and_exposure_are_read() -> None:
    assert read(pictures.CAMERA) == {
        "make": "Leica Camera AG",
        "model": "LEICA Q2",
        "lens": "SUMMILUX 1:1.7/28 ASPH.",
        "f_number": 2.8,
        "exposure": "1/250",
        "iso": 400,
        "focal_length": 28.0,
        "taken_at": "2026-05-17T14:03:22+02:00",
    }


def test_where_it_was_made_is_not_read() -> None:
    assert read(gps=True) is None
    assert read(pictures.CAMERA, gps=True) == read(pictures.CAMERA)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1 / 8000, "1/8000"), (1 / 60, "1/60"), (0.25, "1/4"), (0.5, "0.5"), (2.0, "2"), (30.0, "30")],
)
def test_exposures_are_written_as_photographers_do(seconds: float, shown: str) -> None:
    camera = read({0x829A: seconds})

    assert camera == {"exposure": shown}


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2026:05:17 14:03:22", None, "2026-05-17T14:03:22"),
        ("2026:05:17 14:03:22", "-03:30", "2026-05-17T14:03:22-03:30"),
        ("2026:05:17 14:03:22", "somewhere", "2026-05-17T14:03:22"),
        ("2026:02:31 14:03:22", None, None),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("2026-05-17", None, None),
    ],
)
def test_only_a_possible_time_is_taken(
    taken: str, offset: str | None, expected: str | None
) -> None:
    tags = {0x9003: taken} | ({0x9011: offset} if offset else {})

    camera = read(tags)

    assert (camera or {}).get("taken_at") == expected


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("  Canon\n EOS\tR5 ", "Canon EOS R5"),
        ("Evil\x1b[2J\x07name", "Evil[2Jname"),
        ("abc\u202egnp.exe", "abcgnp.exe"),  # would turn the text of a page around
        ("zero\0hidden", "zero"),
        ("\u200b\u2066 \x01", None),
        ("x" * 500, "x" * 80),
        ("<script>", "<script>"),  # escaping is the page's work
        (17, None),
    ],
)
def test_words_are_fit_for_one_line_of_a_page(written: object, shown: str | None) -> None:
    assert exif.clean(written) == shown


@pytest.mark.parametrize(
    "tags",
    [
        {exif.F_NUMBER: -1.0},
        {exif.F_NUMBER: 0.001},
        {exif.F_NUMBER: 1e9},
        {exif.F_NUMBER: "2.8"},
        {exif.ISO: 0},
        {exif.ISO: 2**31},
        {exif.EXPOSURE: 0.0},
        {exif.EXPOSURE: 1e9},
        {exif.FOCAL_LENGTH: 0.0},
    ],
)
def test_impossible_figures_are_left_out(tags: dict[int, exif.Value]) -> None:
    assert exif.camera_of(tags) is None


def test_a_rational_without_denominator_is_left_out() -> None:
    entry = struct.pack("<HHII", exif.F_NUMBER, 5, 1, 26)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + struct.pack("<II", 28, 0)

    assert exif.read_tags(block) == {}


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff"]
)
def test_a_broken_block_says_nothing(block: bytes) -> None:
    assert exif.read_tags(block) == {}


def test_directories_that_point_at_each_other_end() -> None:
    entry = struct.pack("<HHII", exif.EXIF_IFD, 4, 1, 8)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry

    assert exif.EXIF_IFD in exif.read_tags(block)


@given(st.data())
def test_a_damaged_block_never_fails(data: st.DataObject) -> None:
    block = bytearray(pictures.make_exif(camera=pictures.CAMERA, gps=True)[6:])
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))

    camera = exif.camera_of(exif.read_tags(bytes(block[: data.draw(st.integers(0, len(block)))])))

    assert camera is None or all(str(value).isprintable() for value in camera.values())
