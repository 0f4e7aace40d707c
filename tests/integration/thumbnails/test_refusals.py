"""What is not developed, and the sentence its owner reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from apps import thumbnails
from apps.thumbnails import Reason
from apps.thumbnails.darkroom import guards
from apps.thumbnails.darkroom.refusing import refusal_of
from tests.support import hostile, pictures
from tests.support.darkroom import PIXELS, develop

FORMATS = thumbnails.FORMATS
# What takes longer is stopped as too slow. A picture of a test takes a fraction of a second.
SOON = 45


def reason_for(original: bytes, folder: Path, **options: int) -> Reason:
    with pytest.raises(thumbnails.Refused) as refused:
        develop(original, folder, **options)
    assert not list(folder.glob("*.jpg")), "a refused picture leaves no rendition"
    return refused.value.code


def verdict_on(original: bytes, folder: Path) -> Reason | None:
    """Return why a picture is refused, or None for one that is developed."""
    try:
        steps = develop(original, folder, seconds=SOON)
    except thumbnails.Refused as refused:
        return refused.code
    assert [type(step) for step in steps] == [thumbnails.FirstLight, thumbnails.Developed]
    return None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"holiday",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"PK\x03\x04" + bytes(200),
        b"%PDF-1.7\n" + bytes(200),
        pictures.make_picture("bmp"),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
    ],
    ids=["empty", "text", "svg", "html", "zip", "pdf", "bmp", "wav"],
)
def test_what_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    assert reason_for(content, tmp_path) is Reason.NOT_A_PICTURE


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a<?php system($_GET['c']); ?>" + bytes(100),
        b"\xff\xd8\xff\xe0<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"RIFF\x40\0\0\0WEBP<script>alert(1)</script>" + bytes(40),
        b"II*\0\x08\0\0\0" + bytes(60),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60),
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(60),
    ],
    ids=FORMATS[3:4] + FORMATS[:3] + FORMATS[4:],
)
def test_a_head_without_a_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    assert reason_for(content, tmp_path) is Reason.DAMAGED


def test_the_name_of_a_file_counts_for_nothing(tmp_path: Path) -> None:
    source = tmp_path / "holiday.txt"
    source.write_bytes(pictures.make_picture("png"))

    *_, developed = thumbnails.develop(
        source, tmp_path, thumbnails.Recipe(), seconds=60, pixels=PIXELS
    )

    assert developed.format == "png"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_half_a_picture_is_refused(kind: pictures.Format, share: float, tmp_path: Path) -> None:
    whole = pictures.make_picture(kind, size=(800, 600))

    assert reason_for(whole[: int(len(whole) * share)], tmp_path) is Reason.DAMAGED


@pytest.mark.parametrize(
    "original",
    [
        hostile.png_of(50_000, 50_000),
        hostile.png_of(40_000, 2),  # few pixels, but no screen is that wide
        hostile.jpeg_of(60_000, 60_000),
        hostile.gif_of(60_000, 60_000),
        hostile.webp_of(16_383, 16_383),
        hostile.tiff_of(100_000, 100_000),
        hostile.heif_of("heic", 16_000, 16_000),
        hostile.heif_of("avif", 16_000, 16_000),
    ],
    ids=["png", "wide", "jpeg", "gif", "webp", "tiff", "heic", "avif"],
)
def test_a_header_that_promises_too_much_is_enough(original: bytes, tmp_path: Path) -> None:
    assert len(original) < 20_000

    assert reason_for(original, tmp_path) is Reason.TOO_MANY_PIXELS


def test_the_limit_of_pixels_is_the_callers(tmp_path: Path) -> None:
    original = pictures.make_picture(size=(400, 300))

    assert reason_for(original, tmp_path, pixels=119_999) is Reason.TOO_MANY_PIXELS
    assert len(develop(original, tmp_path, pixels=120_000)) == 2


def test_an_animation_without_end_is_refused(tmp_path: Path) -> None:
    original = hostile.gif_of(1, 1, frames=guards.FRAMES + 1)

    assert reason_for(original, tmp_path) is Reason.TOO_MANY_FRAMES


def test_a_jpeg_of_countless_scans_is_refused_unread(tmp_path: Path) -> None:
    original = hostile.scan_bomb(guards.SCANS)

    assert reason_for(original, tmp_path) is Reason.TOO_COMPLEX


def test_a_progressive_jpeg_is_welcome(tmp_path: Path) -> None:
    original = pictures.make_picture(size=(800, 600), progressive=True)

    *_, developed = develop(original, tmp_path)

    assert developed.format == "jpeg"


@pytest.mark.parametrize(
    "entry",
    [(254, 4, 1, 1), (50706, 1, 4, 0x00000401)],
    ids=["reduced-size first page", "DNG"],
)
def test_a_raw_file_is_not_taken_for_its_preview(
    entry: tuple[int, int, int, int], tmp_path: Path
) -> None:
    assert reason_for(hostile.tiff_of(4, 4, entry), tmp_path) is Reason.UNSUPPORTED


def test_a_plain_tiff_of_the_same_make_is_developed(tmp_path: Path) -> None:
    *_, developed = develop(hostile.tiff_of(4, 4), tmp_path)

    assert (developed.width, developed.height) == (4, 4)


def test_a_picture_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    # A progressive JPEG is decoded whole: two bytes for each of 108 million values. The limit lies
    # far from what that takes and far from what an empty process takes, which machines differ in.
    plain = Image.new("RGB", (6000, 6000), "tan")
    original = pictures.make_picture(image=plain, progressive=True, subsampling=0, quality=20)

    assert reason_for(original, tmp_path, memory=200_000_000) is Reason.TOO_MUCH_MEMORY
    assert len(develop(original, tmp_path)) == 2


@pytest.mark.parametrize(
    "words",
    [
        "unable to copy to memory\nVipsJpeg: Insufficient memory (case 4)",
        "unable to call jpegsave_buffer\nglib: Error creating thread: Resource temporarily …",
        "unable to call webpsave_buffer\nwebpsave: picture memory error",
        "vips_tracked: out of memory -- size == 1MB",
    ],
)
def test_whatever_lacks_memory_says_so_in_its_own_words(words: str) -> None:
    assert refusal_of(RuntimeError(words)).code == Reason.TOO_MUCH_MEMORY


def test_the_next_picture_does_not_suffer(tmp_path: Path) -> None:
    reason_for(hostile.scan_bomb(guards.SCANS), tmp_path)

    assert len(develop(pictures.make_picture(), tmp_path)) == 2


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_sentence(reason: Reason) -> None:
    refused = thumbnails.Refused(reason, "VipsJpeg: detail for the log")

    assert refused.message == thumbnails.explain(reason)
    assert refused.message[0].isupper()
    assert refused.message.endswith(".")
    assert "Vips" not in refused.message
    assert refused.is_final is (reason is not Reason.INTERRUPTED)


def test_a_code_from_another_version_has_a_sentence_too() -> None:
    assert thumbnails.explain("melted") == thumbnails.explain(Reason.CRASHED)


def test_a_sentence_is_in_the_language_of_its_reader() -> None:
    with translation.override(None):
        assert thumbnails.explain("damaged").startswith("The file is damaged")


@given(st.binary(max_size=400))
def test_markers_are_walked_to_the_end_whatever_they_say(data: bytes) -> None:
    assert len(list(guards.jpeg_markers(b"\xff\xd8" + data))) <= len(data)


@pytest.mark.parametrize("kind", FORMATS)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_damaged_picture_is_fine_or_refused_and_soon(
    kind: pictures.Format, data: st.DataObject, tmp_path: Path
) -> None:
    original = bytearray(pictures.make_picture(kind, size=(60, 40), camera=pictures.CAMERA))
    for _ in range(data.draw(st.integers(1, 12), label="changes")):
        place = data.draw(st.integers(0, len(original) - 1), label="place")
        original[place] = data.draw(st.integers(0, 255), label="byte")

    verdict = verdict_on(bytes(original), tmp_path)

    assert verdict not in {Reason.CRASHED, Reason.INTERRUPTED, Reason.TOO_SLOW}
