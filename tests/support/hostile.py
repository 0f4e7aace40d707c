"""Files that want to do harm, made here so that none has to be kept."""

from __future__ import annotations

import struct
import zlib

from tests.support import pictures


def png_of(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that promises `width` x `height` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """Return a small JPEG whose header has been given other dimensions."""
    data = bytearray(pictures.make_picture(size=(64, 64)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def heif_of(kind: pictures.Format, width: int, height: int) -> bytes:
    """Return a small HEIC or AVIF that promises other dimensions in every `ispe` property."""
    data = bytearray(pictures.make_picture(kind, size=(64, 64)))
    at = -1
    while (at := data.find(b"ispe", at + 1)) >= 0:
        data[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(data)


def webp_of(width: int, height: int) -> bytes:
    """Return a small WebP whose header promises other dimensions (at most 16,383)."""
    data = bytearray(pictures.make_picture("webp", size=(64, 64)))
    at = data.index(b"\x9d\x01\x2a") + 3
    data[at : at + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def gif_of(width: int, height: int, *, frames: int = 1) -> bytes:
    """Return a GIF of a few bytes for each of its frames, which are as large as its canvas."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00"  # for a hundredth of a second
    frame += b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + frame * frames + b"\x3b"


def tiff_of(width: int, height: int, *entries: tuple[int, int, int, int]) -> bytes:
    """Return a TIFF of one strip that promises those dimensions; `entries` are more tags."""
    tags = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, 16),
        **{tag: (kind, count, value) for tag, kind, count, value in entries},
    }
    directory = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags)
    )
    return b"II*\0" + struct.pack("<I", 24) + bytes(16) + directory + bytes(4)


def scan_bomb(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated: every one is a pass over it all."""
    data = pictures.make_picture(size=(64, 64), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]
