"""Django's own cache on our servers: for libraries, and never an error."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache  # noqa: TID251 - what is tested
from django.utils import timezone
from pytest_django import Settings

from tests.support.wait import wait_until


@pytest.fixture(params=["valkey", "memory"])
def server(request: pytest.FixtureRequest, settings: Settings) -> str:
    if request.param == "memory":
        settings.CACHING = {**settings.CACHING, "SERVERS": ["memory://django-cache"]}
    return str(request.param)


@pytest.fixture
def dead(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": ["redis://127.0.0.1:9/0"]}


@pytest.mark.parametrize("value", [1, 1.5, True, "ä", [1.0, 2.0], {"a": [None]}, "", 0, False])
def test_what_was_set_is_got(server: str, value: object) -> None:
    cache.set("key", value)

    assert cache.get("key") == value


def test_what_is_not_there_is_the_default(server: str) -> None:
    assert cache.get("key") is None
    assert cache.get("key", 7) == 7
    assert "key" not in cache


def test_only_the_first_adds(server: str) -> None:
    assert cache.add("key", 1) is True
    assert cache.add("key", 2) is False
    assert cache.get("key") == 1


def test_what_was_deleted_can_be_added_again(server: str) -> None:
    cache.add("key", 1)

    cache.delete("key")

    assert cache.add("key", 2) is True


def test_it_is_kept_as_long_as_was_said(server: str) -> None:
    cache.set("soon", 1, timeout=0.05)
    cache.set("never", 1, timeout=0)
    cache.set("past", 1, timeout=-1)
    cache.set("ever", 1, timeout=None)

    wait_until(lambda: cache.get("soon") is None, seconds=2)
    wait_until(lambda: cache.get("never") is None and cache.get("past") is None, seconds=2)
    assert cache.get("ever") == 1


def test_a_touch_gives_it_more_time(server: str) -> None:
    cache.set("key", 1, timeout=0.2)

    assert cache.touch("key", timeout=100) is True
    assert cache.touch("other", timeout=100) is False

    assert cache.get("key") == 1


def test_many_and_versions_are_djangos_own(server: str) -> None:
    cache.set_many({"a": 1, "b": 2})
    cache.set("a", 3, version=2)

    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert cache.get("a", version=2) == 3
    assert cache.incr("b") == 3


def test_two_sites_on_one_server_do_not_meet(settings: Settings) -> None:
    cache.set("key", 1)

    settings.CACHING = {**settings.CACHING, "PREFIX": "other"}

    assert cache.get("key") is None


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        cache.set("key", object())


def test_any_key_is_taken() -> None:
    cache.set("a key\nwith\0signs" + "x" * 1000, 1)

    assert cache.get("a key\nwith\0signs" + "x" * 1000) == 1


def test_a_server_that_is_away_is_an_empty_cache(dead: None) -> None:
    cache.set("key", 1)

    assert cache.get("key") is None
    assert cache.delete("key") is False
    assert cache.touch("key") is False


def test_a_server_that_is_away_locks_nobody_out(dead: None) -> None:
    """Libraries take `add` for a lock, and give up when it is never theirs."""
    assert all(cache.add("lock", 1) for _ in range(5))


def test_one_of_many_threads_gets_the_lock() -> None:
    got: list[bool] = []
    threads = [threading.Thread(target=lambda: got.append(cache.add("l", 1))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == [False] * 7 + [True]


def test_a_clock_that_jumps_does_no_harm() -> None:
    cache.set("key", 1, timeout=60)

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert cache.get("key") == 1
