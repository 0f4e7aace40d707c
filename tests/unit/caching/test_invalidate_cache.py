"""What an operator makes out of date is out of date, also on a server that was away."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps import caching
from apps.caching.engine import engine
from apps.caching.keys import Keyspace
from apps.caching.models import Undelivered
from apps.caching.stats import counted
from apps.caching.sweeping import sweep
from tests.support.caching import Flaky, serving
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def stores() -> Iterator[list[Flaky]]:
    stores = [Flaky("memory://a"), Flaky("memory://b")]
    with serving(*stores) as servers:
        yield stores
        for store in stores:
            store.away = False
        servers.close()


@caching.cached(timeout=MINUTE, tags=["shelf:{number}"])
def list_books(number: int) -> list[str]:
    return ["a book"]


@caching.cached(timeout=MINUTE, tags=["shelf:{number}"])
def count_books(number: int) -> int:
    return 1


def run(*words: str) -> str:
    out = StringIO()
    call_command("invalidate_cache", *words, stdout=out)
    return out.getvalue()


def fill() -> None:
    for number in range(8):
        list_books(number)
        count_books(number)


def computed_anew() -> dict[str, int]:
    """Ask for all of it again, and return how much of it had to be computed."""
    before = counted()
    fill()
    after = counted()
    return {
        name.rpartition(".")[2]: int(after[name]["computations"] - before[name]["computations"])
        for name in (list_books.name, count_books.name)
    }


def test_a_tag_concerns_what_has_it() -> None:
    fill()

    said = run("shelf:3", "shelf:4")

    assert said.splitlines() == [
        "shelf:3, shelf:4: out of date",
        "  told  memory://a",
        "  told  memory://b",
    ]
    assert computed_anew() == {"list_books": 2, "count_books": 2}


def test_a_function_concerns_its_own_entries() -> None:
    fill()

    document = json.loads(run("--function", "test_invalidate_cache.list_books", "--json"))

    assert document["owed"] == []
    assert computed_anew() == {"list_books": 8, "count_books": 0}


def test_everything_is_everything() -> None:
    fill()

    run("--everything", "--no-input")

    assert computed_anew() == {"list_books": 8, "count_books": 8}


@pytest.mark.parametrize("words", [["shelf:1"], ["--function", "count_books"], ["--everything"]])
def test_a_server_that_is_away_is_owed_and_told_later(
    stores: list[Flaky], words: list[str]
) -> None:
    fill()
    stores[1].away = True
    words = [word.replace("count_books", count_books.name) for word in words]

    with pytest.raises(CommandError, match="is written down") as failure:
        run(*words, "--no-input", "--json")

    assert failure.value.returncode == 1
    assert [row.server for row in Undelivered.objects.all()] == ["memory://b"]
    for node in engine().servers.nodes:
        node.close()  # another process, which owes nothing itself
    stores[1].away = False
    wait_until(lambda: sweep(grace=timedelta(0)) or not Undelivered.objects.exists())
    again = computed_anew()
    assert again["count_books"] == {"shelf:1": 1}.get(words[0], 8)


def test_who_is_owed_is_listed(stores: list[Flaky]) -> None:
    stores[0].away = True
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("invalidate_cache", "shelf:1", "--json", stdout=out)

    document = json.loads(out.getvalue())
    assert document == {
        "invalidated": ["shelf:1"],
        "told": ["memory://b"],
        "owed": ["memory://a"],
    }


def test_where_nothing_is_written_down_the_operator_is_told(
    stores: list[Flaky], settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "DURABLE": False}
    stores[0].away = True

    with serving(*stores) as servers, pytest.raises(CommandError, match="say it again later"):
        run("shelf:1")

    servers.close()
    assert not Undelivered.objects.exists()


@pytest.mark.parametrize(
    "words", [[], ["--everything", "shelf:1", "--no-input"], ["--function", "nothing"]]
)
def test_what_is_typed_wrongly_ends_with_two(words: list[str]) -> None:
    fill()

    with pytest.raises(CommandError) as failure:
        run(*words)

    assert failure.value.returncode == 2
    assert computed_anew() == {"list_books": 0, "count_books": 0}


def test_everything_is_not_done_without_a_terminal_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("y\n"))

    with pytest.raises(CommandError, match="--no-input") as failure:
        run("--everything")

    assert failure.value.returncode == 2


@pytest.mark.parametrize(("typed", "number"), [("y", 8), ("n", 0), ("", 0)])
def test_everything_asks_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, typed: str, number: int
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)

    def type_it(question: str) -> str:
        asked.append(question)
        return typed

    monkeypatch.setattr(builtins, "input", type_it)
    fill()

    run("--everything")

    assert "on 2 server(s)" in asked[0]
    assert computed_anew() == {"list_books": number, "count_books": number}


def test_the_wide_tags_are_the_implicit_ones() -> None:
    keys = Keyspace("p", "1")

    assert keys.tag("@everything") == keys.epoch
    assert keys.tag("@function:shop.popular") == keys.function("shop.popular")
    assert keys.tag("@someone") not in {keys.epoch, keys.function("someone")}
