"""The few EXIF tags that pages show, read without a library; the GPS tags are never looked at."""

from __future__ import annotations

import mmap
import re
import struct
import unicodedata
from collections.abc import Mapping
from datetime import datetime

Buffer = bytes | mmap.mmap
Value = str | float | int
Camera = dict[str, str | float | int]

MAKE, MODEL, SUBFILE_TYPE, DNG_VERSION, EXIF_IFD = 0x010F, 0x0110, 0x00FE, 0xC612, 0x8769
EXPOSURE, F_NUMBER, ISO, TAKEN_AT, TAKEN_OFFSET = 0x829A, 0x829D, 0x8827, 0x9003, 0x9011
FOCAL_LENGTH, LENS = 0x920A, 0xA434
WANTED = frozenset({
    MAKE, MODEL, SUBFILE_TYPE, DNG_VERSION, EXIF_IFD, EXPOSURE, F_NUMBER, ISO, TAKEN_AT,
    TAKEN_OFFSET, FOCAL_LENGTH, LENS,
})  # fmt: skip

_ENTRIES = 512
_INLINE = 4  # a value of so many bytes stands in its entry, a longer one elsewhere
_WORDS = 80
_LONGEST_EXPOSURE = 100_000.0
_SHORTEST_EXPOSURE = 1e-6
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL = 1, 2, 3, 4, 5
_SIZES = {_BYTE: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8}


def read_tags(data: Buffer) -> dict[int, Value]:
    """Return the wanted tags of the first directory and its EXIF directory; {} if unreadable."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        return {}
    tags: dict[int, Value] = {}
    try:
        _read_directory(data, order, struct.unpack_from(order + "I", data, 4)[0], tags)
        pointer = tags.pop(EXIF_IFD, None)
        if isinstance(pointer, int):
            _read_directory(data, order, pointer, tags)
    except struct.error:  # ends too early: what was read so far is good
        pass
    return tags


def _read_directory(data: Buffer, order: str, at: int, tags: dict[int, Value]) -> None:
    (count,) = struct.unpack_from(order + "H", data, at)
    for index in range(min(count, _ENTRIES)):
        entry = at + 2 + 12 * index
        tag, kind, length = struct.unpack_from(order + "HHI", data, entry)
        size = _SIZES.get(kind)
        if tag not in WANTED or size is None:
            continue
        start = entry + 8
        if size * length > _INLINE:
            (start,) = struct.unpack_from(order + "I", data, start)
        value = _read_value(data, order, kind, start, length)
        if value is not None:
            tags[tag] = value


def _read_value(data: Buffer, order: str, kind: int, start: int, length: int) -> Value | None:
    if kind == _ASCII:
        return bytes(data[start : start + min(length, 256)]).decode("utf-8", "replace")
    if kind == _RATIONAL:
        over, under = struct.unpack_from(order + "II", data, start)
        return float(over / under) if under else None
    code = {_BYTE: "B", _SHORT: "H", _LONG: "I"}[kind]
    return int(struct.unpack_from(order + code, data, start)[0])


def clean(text: object) -> str | None:
    """Return `text` fit for a page: one line, no control or direction characters, not long."""
    if not isinstance(text, str):
        return None
    text = text.partition("\0")[0]
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or not unicodedata.category(char).startswith("C")
    )
    return " ".join(kept.replace("\ufffd", "").split())[:_WORDS].strip() or None


def camera_of(tags: Mapping[int, Value]) -> Camera | None:
    """Return what pages show of the camera, or None when it said nothing."""
    found = {
        "make": clean(tags.get(MAKE)),
        "model": clean(tags.get(MODEL)),
        "lens": clean(tags.get(LENS)),
        "f_number": _number(tags.get(F_NUMBER), most=1000),
        "exposure": _exposure(tags.get(EXPOSURE)),
        "iso": _whole(tags.get(ISO), most=10_000_000),
        "focal_length": _number(tags.get(FOCAL_LENGTH), most=100_000),
        "taken_at": _moment(tags.get(TAKEN_AT), tags.get(TAKEN_OFFSET)),
    }
    return {name: value for name, value in found.items() if value is not None} or None


def _number(value: object, *, most: float) -> float | None:
    if isinstance(value, float) and 0 < value <= most:
        return round(value, 2) or None
    return None


def _whole(value: object, *, most: int) -> int | None:
    return value if isinstance(value, int) and 0 < value <= most else None


def _exposure(value: object) -> str | None:
    if not isinstance(value, float) or not _SHORTEST_EXPOSURE <= value <= _LONGEST_EXPOSURE:
        return None
    if value < 0.3:  # noqa: PLR2004 - below this photographers say fractions
        return f"1/{round(1 / value)}"
    return f"{value:.1f}".removesuffix(".0")


def _moment(value: object, offset: object) -> str | None:
    """Return the time the picture was taken as ISO 8601, with a zone if the camera knew it."""
    clock = re.match(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d:\d\d:\d\d)", str(value))
    zone = re.match(r"[+-]\d\d:\d\d", str(offset))
    if clock is None:
        return None
    text = "{}-{}-{}T{}".format(*clock.groups()) + (zone[0] if zone else "")
    try:
        datetime.fromisoformat(text)
    except ValueError:  # 0000:00:00, the 31st of February
        return None
    return text
