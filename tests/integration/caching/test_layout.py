"""An entry read without the layer, as any other language would do it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import lz4.block
import pytest
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import place
from devstack.servers import Memcached, Valkey
from tests.support.foreign_reader import decompress, fetch, parse, store

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
Server = Valkey | Memcached


class Kind(Enum):
    PAPER = "paper"


@dataclass
class Card:
    number: int
    title: str | None


@dataclass
class Leaf:
    key: UUID
    day: date
    price: Decimal
    kind: Kind
    sizes: dict[str, float]


@caching.cached(timeout=MINUTE, tags=["cards", "card:{number}"])
def list_cards(number: int, *, length: int = 3) -> list[Card]:
    return [Card(number, "Häfen" * length), Card(number + 1, None)]


@caching.cached(timeout=MINUTE)
def get_leaf() -> Leaf:
    return Leaf(UUID(int=1), date(2026, 1, 31), Decimal("1.50"), Kind.PAPER, {"wide": 0.5})


@caching.cached(timeout=MINUTE)
def get_text() -> str:
    return "Häfen"


@caching.cached(timeout=MINUTE)
def get_markup() -> SafeString:
    return mark_safe("<b>Häfen</b>")


@caching.cached(timeout=MINUTE)
def get_bytes() -> bytes:
    return b"\x00\xff"


@caching.cached(timeout=MINUTE)
def get_nothing() -> str | None:
    return None


def key_of(call: caching.Call[Any]) -> str:
    return place(call, engine()).key


@pytest.mark.parametrize(("length", "compressed"), [(3, False), (3000, True)])
def test_another_program_reads_an_entry(server: Server, length: int, compressed: bool) -> None:
    list_cards(1, length=length)
    where = place(list_cards.call(1, length=length), engine())

    raw = fetch(server, where.key)
    assert raw is not None
    entry = parse(raw)

    assert entry.value == [
        {"number": 1, "title": "Häfen" * length},
        {"number": 2, "title": None},
    ]
    assert entry.codec == 3
    assert entry.compressed is compressed
    assert entry.versions == [fetch(server, tag) for tag in where.tags]
    assert len(entry.versions) == 4
    assert abs(entry.created_ms / 1000 - time.time()) < 60
    assert 54_000 <= entry.fresh_ms <= 60_000
    assert len(raw) < 1000


@pytest.mark.parametrize(
    ("function", "codec", "value"),
    [
        (get_text, 1, "Häfen"),
        (get_markup, 2, "<b>Häfen</b>"),
        (get_bytes, 4, b"\x00\xff"),
        (get_nothing, 0, None),
        (
            get_leaf,
            3,
            {
                "key": str(UUID(int=1)),
                "day": "2026-01-31",
                "price": "1.50",
                "kind": "paper",
                "sizes": {"wide": 0.5},
            },
        ),
    ],
)
def test_another_program_reads_every_codec(
    server: Server, function: caching.CachedFunction[[], object], codec: int, value: object
) -> None:
    function()

    raw = fetch(server, key_of(function.call()))
    assert raw is not None
    entry = parse(raw)

    assert entry.codec == codec
    assert entry.value == value


def test_another_program_sees_that_there_is_nothing(server: Server) -> None:
    assert fetch(server, key_of(list_cards.call(1))) is None


@pytest.mark.parametrize("tag", ["t:cards", "e"])
def test_another_program_can_invalidate(server: Server, tag: str) -> None:
    """By a version that nobody has had: eight bytes, of the clock and of chance."""
    list_cards(1)
    before = fetch(server, key_of(list_cards.call(1)))
    version = (time.time_ns() // 1_000_000 << 20).to_bytes(8, "big")[:5] + os.urandom(3)

    store(server, f"{engine().keys.prefix}:{tag}", version)
    list_cards(1)

    after = fetch(server, key_of(list_cards.call(1)))
    assert after is not None
    assert after != before
    assert version in parse(after).versions


def _blocks() -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=300),
        st.binary(min_size=1, max_size=8).map(lambda piece: piece * 100),
        st.tuples(st.binary(max_size=40), st.integers(0, 600)).map(
            lambda pair: pair[0] * 3 + b"\x00" * pair[1] + pair[0]
        ),
    )


@given(_blocks())
def test_the_decoder_of_the_docs_reads_every_block(data: bytes) -> None:
    compress: Callable[..., bytes] = lz4.block.compress

    assert decompress(compress(data, store_size=False)) == data
