"""The five verbs, the same on every server; the others run them in the integration tests."""

from __future__ import annotations

import pytest

from apps.caching.stores import Item, open_store
from apps.caching.stores.memory import MemoryStore
from tests.support.stores import StoreContract


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_the_least_used_leaves_first() -> None:
    store = MemoryStore(limit=2)
    store.put([Item("a", b"1", 0), Item("b", b"2", 0)])
    store.get(["a"])

    store.put([Item("c", b"3", 0)])

    assert store.get(["a", "b", "c"]) == [b"1", None, b"3"]


def test_an_item_leaves_when_its_time_is_over() -> None:
    now = [0.0]
    store = MemoryStore(clock=lambda: now[0])
    store.put([Item("a", b"1", 60), Item("b", b"2", 0)])

    now[0] = 59.9
    assert store.get(["a", "b"]) == [b"1", b"2"]
    now[0] = 60.0
    assert store.get(["a", "b"]) == [None, b"2"]
    assert store.add([Item("a", b"3", 60)]) == [True]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://:secret@cache:6380/2", "redis://cache:6380/2"),
        ("redis://cache", "redis://cache:6379/0"),
        ("valkey://cache/1", "redis://cache:6379/1"),
        ("rediss://user:secret@cache", "redis://cache:6379/0"),
        ("unix:///run/valkey.sock?db=2", "unix:///run/valkey.sock?db=2"),
        ("memcached://cache", "memcached://cache:11211"),
        ("memory://", "memory://"),
    ],
)
def test_a_name_says_where_and_no_password(url: str, name: str) -> None:
    assert open_store(url, timeout=0.1).name == name
