"""The first bytes decide, and only they."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps import thumbnails
from tests.support import pictures


def zip_of_something() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return file.getvalue()


@pytest.mark.parametrize("kind", thumbnails.FORMATS)
def test_each_format_is_known_by_its_head(kind: pictures.Format) -> None:
    original = pictures.make_picture(kind, size=(16, 16))

    assert thumbnails.sniff(original[: thumbnails.HEAD_BYTES]) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"<html><body>",
        b"GIF90a",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"II*\0\x10\0\0\0CR\x02\0",  # Canon's raw files begin like a TIFF
        zip_of_something(),
        pictures.make_picture("bmp", size=(16, 16)),
    ],
)
def test_anything_else_is_no_picture(head: bytes) -> None:
    assert thumbnails.sniff(head) is None


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0", "heic"),
        (b"mif1\0\0\0\0heicmiaf", "heic"),
        (b"msf1\0\0\0\0msf1hevc", "heic"),
        (b"mif1\0\0\0\0miafavif", "avif"),
        (b"avis\0\0\0\0msf1", "avif"),
        (b"mif1\0\0\0\0miafjpeg", None),
    ],
)
def test_brands_tell_heic_from_avif(brands: bytes, kind: str | None) -> None:
    head = (len(brands) + 8).to_bytes(4, "big") + b"ftyp" + brands

    assert thumbnails.sniff(head + b"\0\0\0\x10meta") == kind


def test_a_brand_is_looked_for_in_its_box_only() -> None:
    head = b"\0\0\0\x14ftypisom\0\0\0\0isom" + b"\0\0\0\x0cheic\0\0\0\0avif"

    assert thumbnails.sniff(head) is None


@given(st.binary(max_size=80))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    assert thumbnails.sniff(head) in {None, *thumbnails.FORMATS}
