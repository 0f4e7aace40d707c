"""Nothing but pixels leaves the darkroom: no place, no camera, no software, no name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.thumbnails.darkroom import guards
from tests.support import pictures
from tests.support.darkroom import develop

XMP = (
    b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    b"<exif:GPSLatitude>59,56.7N</exif:GPSLatitude></x:xmpmeta>"
)
TRACES = (b"exif", b"gps", b"xmp", b"xap/1.0", b"leica", b"icc", b"photoshop", b"sn-0042", b"vips")
SOF, DHT, DQT, DRI, SOS, JFIF = range(0xC0, 0xC4), 0xC4, 0xDB, 0xDD, 0xDA, 0xE0


def chunks_of_webp(data: bytes) -> list[bytes]:
    names, at = [], 12
    while at < len(data):
        names.append(data[at : at + 4])
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return names


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "heic", "avif"])
def test_no_byte_of_metadata_is_left(kind: pictures.Format, tmp_path: Path) -> None:
    options: dict[str, Any] = {"xmp": XMP} if kind in {"jpeg", "webp", "heic", "avif"} else {}
    if kind == "jpeg":
        options["comment"] = b"SN-0042"
    original = pictures.make_picture(
        kind,
        size=(1400, 900),
        camera=pictures.CAMERA,
        gps=True,
        orientation=6,
        icc_profile=pictures.wide_gamut_profile(),
        **options,
    )
    assert b"Leica" in original

    *_, developed = develop(original, tmp_path)

    assert len(developed.renditions) == 10  # 1400 pixels at the longest edge: all five sizes
    for rendition in developed.renditions:
        assert rendition.path
        data = rendition.path.read_bytes()
        assert rendition.bytes == len(data)
        assert [trace for trace in TRACES if trace in data[:4096].lower()] == []
        if rendition.name.endswith(".webp"):
            assert set(chunks_of_webp(data)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
        else:
            assert set(guards.jpeg_markers(data)) <= {*SOF, DHT, DQT, DRI, SOS, JFIF}
            assert data.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "heic", "avif"])
def test_the_camera_is_told_and_the_place_is_not(kind: pictures.Format, tmp_path: Path) -> None:
    original = pictures.make_picture(kind, camera=pictures.CAMERA, gps=True)

    first, developed = develop(original, tmp_path)

    camera = developed.camera
    assert camera is not None
    assert (camera.make, camera.model) == ("Leica Camera AG", "LEICA Q2")
    assert (camera.f_number, camera.exposure, camera.iso, camera.focal_length) == (
        2.8,
        "1/250",
        400,
        28.0,
    )
    assert camera.taken_at is not None
    assert camera.taken_at.isoformat() == "2026-05-17T14:03:22+02:00"
    assert camera == first.camera
    assert "59" not in repr(camera)


def test_a_picture_that_says_nothing_of_a_camera_has_none(tmp_path: Path) -> None:
    first, _ = develop(pictures.make_picture(gps=True), tmp_path)

    assert first.camera is None


def test_what_hangs_on_a_picture_is_left_behind(tmp_path: Path) -> None:
    original = pictures.make_picture() + b"PK\x03\x04<script>alert('SN-0042')</script>"

    *_, developed = develop(original, tmp_path)

    assert all(
        b"alert" not in rendition.path.read_bytes()
        for rendition in developed.renditions
        if rendition.path
    )


def test_a_placeholder_is_a_tiny_picture_and_nothing_else(tmp_path: Path) -> None:
    first, _ = develop(pictures.make_picture(gps=True, camera=pictures.CAMERA), tmp_path)

    kind, _, data = first.placeholder.partition(",")

    assert kind == "data:image/webp;base64"
    assert len(data) < 400
    assert 20 < len(first.thumbhash) < 40
