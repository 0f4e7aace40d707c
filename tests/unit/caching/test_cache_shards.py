"""Where entries lie, and what another list of servers would do to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps import caching
from apps.caching.engine import engine
from apps.caching.stores import Facts, Item
from apps.caching.stores.redis_inspector import concerns
from apps.caching.surveying import _limits, survey
from tests.support.caching import Flaky, serving

MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["number"])
def double(number: int) -> int:
    return 2 * number


@pytest.fixture
def stores() -> Iterator[list[Flaky]]:
    stores = [Flaky("memory://a"), Flaky("memory://b")]
    with serving(*stores):
        yield stores


def run(*words: str) -> str:
    out = StringIO()
    call_command("cache_shards", *words, stdout=out)
    return out.getvalue()


# --- The survey ----------------------------------------------------------------------------------


def test_what_exists_is_counted_where_it_lies(stores: list[Flaky]) -> None:
    double.many([(number,) for number in range(40)])

    found, keys = survey()

    assert [server.name for server in found] == ["memory://a", "memory://b"]
    assert sum(server.entries or 0 for server in found) == len(keys) == 40
    assert sum(server.by_function[double.name] for server in found) == 40
    assert all(server.entries and not server.misplaced and not server.older for server in found)
    assert (
        found[0].entries == len([name for name in stores[0].names("") if double.name in name]) - 1
    )


def test_what_is_of_another_site_is_left_out(stores: list[Flaky]) -> None:
    stores[0].put([Item("another:1:f:hash", b"1", 60)])
    double(1)

    assert sum(server.entries or 0 for server in survey()[0]) == 1


def test_what_is_of_an_older_release_is_told_apart(stores: list[Flaky]) -> None:
    prefix = engine().keys.prefix
    stores[0].put([Item(f"{prefix}:0.9:f:hash", b"1", 60)])

    assert [server.older for server in survey()[0]] == [1, 0]


def test_an_entry_on_the_wrong_server_is_a_concern(stores: list[Flaky]) -> None:
    double(1)
    key = survey()[1][0]
    wrong = next(store for store in stores if store.get([key]) == [None])
    wrong.put([Item(key, b"1", 60)])

    (concerned,) = [server for server in survey()[0] if server.concerns]

    assert concerned.name == wrong.name
    assert concerned.misplaced == 1
    with pytest.raises(CommandError, match=wrong.name) as failure:
        run()
    assert failure.value.returncode == 1


def test_a_server_that_is_away_is_shown_and_ends_with_one(stores: list[Flaky]) -> None:
    double.many([(number,) for number in range(20)])
    stores[1].away = True
    out = StringIO()

    with pytest.raises(CommandError, match=r"memory://b\.") as failure:
        call_command("cache_shards", stdout=out)

    assert failure.value.returncode == 1
    assert re.search(r"memory://b +does not answer", out.getvalue())
    assert "a sample of made-up ones" in out.getvalue()


def test_only_so_many_keys_are_looked_at(stores: list[Flaky]) -> None:
    double.many([(number,) for number in range(40)])

    assert "Only the first keys of memory://a, memory://b" in run("--at-most", "5")
    assert not survey(enough=5)[0][0].complete


def test_the_command_tells_people(stores: list[Flaky]) -> None:
    double.many([(number,) for number in range(40)])

    said = run()

    assert re.search(r"^server +entries +share", said)
    assert double.name in said
    assert "memory of this process" in said
    assert "%" in said


def test_the_command_tells_programs(stores: list[Flaky]) -> None:
    double(1)

    document = json.loads(run("--json"))

    assert sum(server["entries"] for server in document["servers"]) == 1
    assert document["moves"] is None
    assert not document["shares"]["sampled"]


def test_what_would_move_is_told_of_what_exists(stores: list[Flaky]) -> None:
    double.many([(number,) for number in range(90)])

    plan = json.loads(run("--add", "memory://c", "--json"))["moves"]
    said = run("--add", "memory://c")

    assert plan["keys"] == 90
    assert plan["between_old"] == 0
    assert 10 < plan["moved"] == plan["after"]["memory://c"] < 50
    assert "0 of them between servers that stay" in said


def test_without_entries_a_sample_is_placed_and_said_to_be_one(stores: list[Flaky]) -> None:
    said = run("--remove", "memory://b")

    assert "made-up keys" in said
    assert re.search(r"memory://b +[45] ?\d\d\d +0", said)


@pytest.mark.parametrize(
    "words",
    [
        ["--add", "memory://a"],
        ["--add", "http://c"],
        ["--remove", "memory://c"],
        ["--remove", "memory://a", "--remove", "memory://b"],
        ["--at-most", "0"],
    ],
)
def test_what_is_typed_wrongly_ends_with_two(stores: list[Flaky], words: list[str]) -> None:
    with pytest.raises(CommandError) as failure:
        run(*words)

    assert failure.value.returncode == 2


# --- What is wrong with a server -----------------------------------------------------------------

GOOD = {"maxmemory": 1 << 20, "maxmemory_policy": "allkeys-lfu", "role": "master"}


@pytest.mark.parametrize(
    ("info", "configured", "words"),
    [
        ({}, {}, []),
        ({}, {"save": "", "appendonly": "no"}, []),
        ({"maxmemory": 0}, {}, ["set maxmemory"]),
        ({"maxmemory_policy": "noeviction"}, {}, ["set allkeys-lfu"]),
        ({"maxmemory_policy": "volatile-lru"}, {}, ["set allkeys-lfu"]),
        ({}, {"save": "3600 1"}, ["set save ''"]),
        ({}, {"appendonly": "yes"}, ["set appendonly no"]),
        ({"aof_enabled": 1}, {}, ["set appendonly no"]),
        ({"role": "slave"}, {}, ["name its primary"]),
        ({"connected_slaves": 1}, {}, ["a failover"]),
    ],
)
def test_a_server_that_makes_a_bad_cache_is_a_concern(
    info: dict[str, object], configured: dict[str, str], words: list[str]
) -> None:
    said = list(concerns({**GOOD, **info}, configured))

    assert len(said) == len(words)
    assert all(word in line for word, line in zip(words, said, strict=True))


def test_the_server_of_the_tests_is_described() -> None:
    (server,) = survey()[0]

    assert server.facts is not None
    assert server.facts.software.startswith("Valkey ")
    assert server.facts.memory_used
    # It has no limit, as it serves many tests.
    assert [concern.rpartition("set ")[2] for concern in server.concerns] == [
        "maxmemory",
        "allkeys-lfu",
    ]


def test_a_server_that_refuses_long_items_is_a_concern() -> None:
    assert _limits(Facts(software="Memcached", longest_item=1 << 20), engine()) == []
    assert (
        "start it with -I" in _limits(Facts(software="Memcached", longest_item=1000), engine())[0]
    )


class Opaque:
    """A store that has no more than the five verbs."""

    name = "opaque://"

    def __getattr__(self, verb: str) -> object:
        if verb in {"get", "put", "add", "drop", "close"}:
            return getattr(Flaky(), verb)
        raise AttributeError(verb)


def test_a_store_that_cannot_be_looked_into_is_a_concern() -> None:
    opaque: Any = Opaque()

    with serving(opaque):
        (server,) = survey()[0]

    assert server.entries is None
    assert "cannot be looked into" in server.concerns[0]
