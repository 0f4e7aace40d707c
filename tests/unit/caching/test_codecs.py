"""What travels, and that a hit equals a computation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypedDict
from uuid import UUID

import msgspec
import pytest
from django.db.models import QuerySet
from django.utils.safestring import SafeString, mark_safe

from apps.accounts.models import User
from apps.caching.codecs import BYTES, HTML, MSGPACK, NONE, TEXT, Codec, Uncacheable


@dataclass(frozen=True)
class Camera:
    make: str
    exposure: Decimal | None = None


class Photo(msgspec.Struct):
    pk: UUID
    taken_at: datetime
    camera: Camera | None = None


class Numbers(TypedDict):
    photos: int


class Size(Enum):
    SMALL = "small"


NOW = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotation", "value", "codec"),
    [
        (str, "Häfen", TEXT),
        (str, "", TEXT),
        (bytes, b"\x00\xff", BYTES),
        (SafeString, mark_safe("<b>"), HTML),
        (None, None, NONE),
        (str | None, None, NONE),
        (str | None, "a", MSGPACK),
        (int, 2**60, MSGPACK),
        (bool, False, MSGPACK),
        (float, 0.1, MSGPACK),
        (Decimal, Decimal("1.10"), MSGPACK),
        (datetime, NOW, MSGPACK),
        (date, NOW.date(), MSGPACK),
        (Size, Size.SMALL, MSGPACK),
        (list[str], ["a", "b"], MSGPACK),
        (tuple[int, ...], (1, 2), MSGPACK),
        (set[int], {1, 2}, MSGPACK),
        (dict[str, int], {"a": 1}, MSGPACK),
        (dict[str, object], {"a": [1, None, "b"]}, MSGPACK),
        (Any, {"a": 1}, MSGPACK),
        (Numbers, {"photos": 3}, MSGPACK),
        (Camera, Camera("Kodak", Decimal("0.004")), MSGPACK),
        (list[Photo], [Photo(UUID(int=1), NOW, Camera("Kodak"))], MSGPACK),
        (Photo | None, Photo(UUID(int=1), NOW), MSGPACK),
    ],
)
def test_a_value_comes_back_as_it_went(annotation: Any, value: object, codec: int) -> None:
    values = Codec(annotation)

    used, payload = values.encode(value)
    back = values.decode(used, payload)

    assert used == codec
    assert back == value
    assert type(back) is type(value)


def test_text_that_was_not_safe_does_not_become_safe() -> None:
    with pytest.raises(Uncacheable):
        Codec(SafeString).encode("<script>")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (list[str], ("a", "b")),
        (Sequence[str], ("a", "b")),
        (dict[str, object], {"pk": UUID(int=1)}),
        (dict[str, object], {"taken_at": date(2026, 1, 1)}),
        (list[Any], [(1, 2)]),
        (list[int], ["1"]),
        (int, "1"),
        (str, 1),
        (int, 2**70),
        (Any, object()),
        (Any, iter([])),
        (Any, {1: User()}),
        (str, mark_safe("<b>")),
        (str, "half a character: \ud83d"),
        (SafeString, mark_safe("\udcff")),
        (list[str], ["\ud83d"]),
    ],
)
def test_what_would_come_back_different_is_refused(annotation: Any, value: object) -> None:
    with pytest.raises(Uncacheable):
        Codec(annotation).encode(value)


@pytest.mark.parametrize("annotation", [User, list[User], dict[str, QuerySet[User]], type])
def test_a_type_that_cannot_be_read_back_is_refused_at_once(annotation: Any) -> None:
    with pytest.raises(Uncacheable):
        Codec(annotation)


@pytest.mark.parametrize(
    ("annotation", "codec", "payload"),
    [
        (str, TEXT, b"\xff"),
        (str, HTML, b"<b>"),
        (SafeString, TEXT, b"<b>"),
        (bytes, TEXT, b"a"),
        (list[int], MSGPACK, b"\x91\xa1a"),
        (list[int], MSGPACK, b"\x91"),
        (str, MSGPACK, b"\xa1a"),
        (Camera, MSGPACK, b"\x80"),
        (int, 9, b"\x01"),
    ],
)
def test_bytes_of_another_kind_are_no_value(annotation: Any, codec: int, payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Codec(annotation).decode(codec, payload)


def test_a_field_that_came_later_has_its_default() -> None:
    @dataclass
    class Before:
        make: str

    _, payload = Codec(Before).encode(Before("Kodak"))

    assert Codec(Camera).decode(MSGPACK, payload) == Camera("Kodak")


def test_another_language_reads_it() -> None:
    _, payload = Codec(list[Camera]).encode([Camera("Kodak")])

    assert json.loads(msgspec.json.encode(msgspec.msgpack.decode(payload))) == [
        {"make": "Kodak", "exposure": None}
    ]
