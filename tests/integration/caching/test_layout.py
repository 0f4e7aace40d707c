"""An entry read without the layer, as any other language would do it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import lz4.block
import msgspec
import pytest
import redis
from pymemcache.client.base import Client

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import place
from devstack.servers import Memcached, Valkey

pytestmark = pytest.mark.integration
Fetch = Callable[[str], bytes | None]


@dataclass
class Card:
    number: int
    title: str | None


@caching.cached(timeout=timedelta(minutes=1), tags=["cards", "card:{number}"])
def list_cards(number: int, *, length: int = 3) -> list[Card]:
    return [Card(number, "Häfen" * length), Card(number + 1, None)]


@pytest.fixture
def fetch(server: Valkey | Memcached) -> Fetch:
    def from_valkey(key: str) -> bytes | None:
        with redis.Redis(port=server.port) as client:
            found: bytes | None = client.get(key)
            return found

    def from_memcached(key: str) -> bytes | None:
        with closing(Client(("127.0.0.1", server.port))) as client:
            found: bytes | None = client.get(key)
            return found

    return from_valkey if isinstance(server, Valkey) else from_memcached


def read(raw: bytes) -> tuple[int, list[bytes], object]:
    """Decode an entry with nothing but docs/caching.md at hand."""
    magic, flags, number, _, fresh, _ = struct.unpack(">2sBBQII", raw[:20])
    assert magic == b"K1"
    assert 54_000 <= fresh <= 60_000
    versions = [raw[20 + 8 * i : 28 + 8 * i] for i in range(number)]
    payload = raw[20 + 8 * number :]
    if flags & 0x10:
        payload = lz4.block.decompress(
            payload[4:], uncompressed_size=int.from_bytes(payload[:4], "little")
        )
    return flags & 0x0F, versions, msgspec.msgpack.decode(payload)


@pytest.mark.parametrize("length", [3, 3000])
def test_another_program_reads_an_entry(fetch: Fetch, length: int) -> None:
    list_cards(1, length=length)
    where = place(list_cards.call(1, length=length), engine())

    raw = fetch(where.key)
    assert raw is not None
    codec, versions, value = read(raw)

    assert codec == 3
    assert versions == [fetch(tag) for tag in where.tags]
    assert len(versions) == 4
    assert value == [
        {"number": 1, "title": "Häfen" * length},
        {"number": 2, "title": None},
    ]
    assert len(raw) < 1000


def test_another_program_can_invalidate(fetch: Fetch, server: Valkey | Memcached) -> None:
    list_cards(1)
    where = place(list_cards.call(1), engine())
    before = fetch(where.key)

    where.node.store.drop([engine().keys.tag("cards")])  # a missing version is a miss
    list_cards(1)

    assert fetch(where.key) != before
