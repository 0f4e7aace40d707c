"""Which server an entry lives on: the same for everybody, and few move when servers come or go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.caching.engine import engine
from apps.caching.servers import Servers, score
from apps.caching.surveying import moves, place_among, server_name
from tests.support.caching import Flaky, serving

DOCS = Path(__file__).parents[3] / "docs" / "caching.md"
NAMES = ["redis://a:6379/0", "redis://b:6379/0", "memcached://c:11211"]
KEYS = [f"p:1:f:{number}" for number in range(6000)]


@pytest.fixture
def stores() -> Iterator[list[Flaky]]:
    stores = [Flaky("memory://a"), Flaky("memory://b")]
    with serving(*stores):
        yield stores


def vectors() -> list[tuple[str, str, str]]:
    """Return the rows of the table of test vectors in the docs: server, key, score."""
    text = DOCS.read_text(encoding="utf-8")
    return re.findall(r"^\| `(\S+)` \| `(\S+)` \| `([0-9a-f]{16})` \|", text, flags=re.MULTILINE)


def test_the_docs_hold_vectors_of_several_servers_and_keys() -> None:
    assert len({server for server, _, _ in vectors()}) == 3
    assert len({key for _, key, _ in vectors()}) >= 3


@pytest.mark.parametrize(("server", "key", "expected"), vectors())
def test_the_score_is_the_one_that_is_written_down(server: str, key: str, expected: str) -> None:
    assert score(server, key).hex() == expected


@pytest.mark.parametrize("key", sorted({key for _, key, _ in vectors()}))
def test_an_entry_lives_where_the_docs_say(key: str) -> None:
    scores = {server: expected for server, its_key, expected in vectors() if its_key == key}
    highest = max(scores, key=lambda server: scores[server])

    assert f"`{key}` lives on `{highest}`" in DOCS.read_text(encoding="utf-8")
    assert Servers([Flaky(name) for name in scores]).place(key).name == highest


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_new_server_takes_its_part_and_nothing_else_moves(number: int) -> None:
    before = [f"redis://host{n}:6379/0" for n in range(number)]

    plan = moves(KEYS, before, [*before, "redis://new:6379/0"])

    assert plan.between_old == 0
    assert plan.moved == plan.after["redis://new:6379/0"]
    # Six standard deviations of a binomial distribution.
    part = 1 / (number + 1)
    assert abs(plan.moved - len(KEYS) * part) < 6 * (len(KEYS) * part * (1 - part)) ** 0.5


@pytest.mark.parametrize("gone", NAMES)
def test_of_a_server_that_goes_only_its_own_move(gone: str) -> None:
    plan = moves(KEYS, NAMES, [name for name in NAMES if name != gone])

    assert plan.moved == plan.before[gone]
    assert plan.between_old == 0


def test_the_order_of_the_list_is_no_difference() -> None:
    assert moves(KEYS, NAMES, NAMES[::-1]).moved == 0


def test_every_server_gets_about_the_same() -> None:
    held = Counter(place_among(NAMES, key) for key in KEYS)

    assert set(held) == set(NAMES)
    assert max(held.values()) < 1.15 * len(KEYS) / len(NAMES)


def test_a_plan_places_as_the_layer_does(stores: list[Flaky]) -> None:
    names = [store.name for store in stores]

    assert [place_among(names, key) for key in KEYS[:200]] == [
        engine().servers.place(key).name for key in KEYS[:200]
    ]


def test_a_password_is_no_part_of_a_name() -> None:
    assert server_name("redis://:secret@host/3") == server_name("valkey://host:6379/3")
