"""What an operator is told of real servers."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from io import StringIO

import pytest
import redis
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import place
from apps.caching.surveying import ServerSurvey, survey
from devstack.servers import Memcached, Valkey
from tests.support.foreign_reader import fetch
from tests.support.wait import wait_until

MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["numbers", "number:{number}"])
def double(number: int) -> int:
    return 2 * number


def look() -> ServerSurvey:
    (seen,) = survey()[0]
    return seen


def test_the_entries_that_exist_are_counted(server: Valkey | Memcached) -> None:
    double.many([(number,) for number in range(300)])

    seen = look()

    assert seen.entries == 300
    assert seen.by_function == {double.name: 300}
    assert seen.bookkeeping == 303  # everything, the function, all numbers, each number
    assert seen.complete


def test_what_has_expired_is_not_counted(server: Valkey | Memcached) -> None:
    @caching.cached(timeout=timedelta(seconds=1))
    def short() -> int:
        return 1

    short()
    key = place(short.call(), engine()).key

    wait_until(lambda: fetch(server, key) is None)

    assert look().entries == 0


def test_the_server_says_what_it_is(server: Valkey | Memcached) -> None:
    double.many([(1,), (2,)])
    double(1)

    facts = look().facts

    assert facts is not None
    assert facts.software.split()[0] in {"Valkey", "Redis", "Memcached"}
    assert facts.items == 7
    assert facts.memory_used
    assert facts.uptime is not None
    assert facts.evictions == 0
    assert facts.hits
    assert facts.misses


def test_a_server_that_is_gone_is_away(server: Valkey | Memcached) -> None:
    server.kill()

    seen = look()

    assert not seen.answers
    assert "it does not answer" in seen.concerns[0]


def test_what_would_move_is_counted_over_both_kinds(two_servers: tuple[Valkey, Memcached]) -> None:
    double.many([(number,) for number in range(300)])
    out = StringIO()

    with pytest.raises(CommandError):  # this Valkey writes to disk and has no limit
        call_command("cache_shards", "--add", "redis://new:6379/0", "--json", stdout=out)

    document = json.loads(out.getvalue())
    assert sum(one["entries"] for one in document["servers"]) == 300
    assert document["moves"]["keys"] == 300
    assert document["moves"]["between_old"] == 0
    assert 60 < document["moves"]["moved"] < 140


def test_a_valkey_that_keeps_its_data_is_a_concern(
    valkey_server: Valkey, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": [valkey_server.url()]}
    with redis.Redis(port=valkey_server.port) as client:
        client.config_set("save", "3600 1")

    concerns = " ".join(look().concerns)

    for words in ("set save ''", "set appendonly no", "set maxmemory", "set allkeys-lfu"):
        assert words in concerns


def test_a_valkey_that_is_a_cache_is_none(valkey_server: Valkey, settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": [valkey_server.url()]}
    with redis.Redis(port=valkey_server.port) as client:
        client.config_set("save", "")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "allkeys-lfu")

    assert look().concerns == []


def test_a_valkey_that_hides_its_settings_is_described_all_the_same(
    valkey_server: Valkey, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": [valkey_server.url()]}
    with redis.Redis(port=valkey_server.port) as client:
        client.execute_command("ACL", "SETUSER", "default", "-config")

    seen = look()

    assert seen.facts is not None
    assert seen.facts.policy == "noeviction"
    assert any("set appendonly no" in concern for concern in seen.concerns)


def test_a_memcached_that_does_not_list_its_keys_says_so(
    memcached_server: Memcached, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": [memcached_server.url]}
    double(1)
    with socket.create_connection(("127.0.0.1", memcached_server.port)) as client:
        client.sendall(b"lru_crawler disable\r\n")
        assert client.recv(100) == b"OK\r\n"
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("cache_shards", stdout=out)

    assert look().entries is None
    assert "does not list its keys" in out.getvalue()
    assert "a sample of made-up ones" in out.getvalue()


def test_looking_leaves_no_connection_behind(server: Valkey | Memcached) -> None:
    engine().servers.close()

    for _ in range(3):
        look()

    if isinstance(server, Valkey):
        with redis.Redis(port=server.port) as client:
            assert len(client.client_list()) == 1
