"""What `explain_cache` says of an entry is what the next look-up would meet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from apps import caching
from apps.caching.engine import engine
from apps.caching.explaining import Explanation, explain
from apps.caching.functions import CachedFunction, functions
from apps.caching.lookup import look_up, place
from apps.caching.models import Undelivered
from apps.caching.naming import UnknownName, WrongArguments, find_function, read_call, read_value
from apps.caching.pages import views
from apps.caching.stores import Item
from apps.caching.versions import new_version
from tests.support.caching import Flaky, serving

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def store() -> Iterator[Flaky]:
    store = Flaky("memory://explained")
    with serving(store):
        yield store


@caching.cached(timeout=MINUTE, tags=["books", "book:{number}"])
def list_pages(number: int, *, size: int = 10) -> list[str]:
    return [f"page {page} of {number}" for page in range(size)]


@caching.cached(timeout=timedelta(milliseconds=1), tags=["books"], stale_for=MINUTE)
def count_books() -> int:
    return 3


@caching.cached(timeout=MINUTE, by_language=True)
def name_language() -> str:
    return translation.get_language()


def run(*words: str) -> str:
    out = StringIO()
    call_command("explain_cache", *words, stdout=out)
    return out.getvalue()


def test_an_entry_that_nobody_asked_for_is_absent() -> None:
    found = explain(list_pages.call(1))

    assert found.state == "absent"
    assert found.entry is None
    assert [tag.tag for tag in found.tags] == [
        "(everything)",
        "(this function)",
        "books",
        "book:1",
    ]
    assert {tag.version for tag in found.tags} == {None}
    assert found.lease_held is None


def test_an_entry_that_is_an_answer_is_fresh() -> None:
    list_pages(1)

    found = explain(list_pages.call(1))

    assert found.state == "fresh"
    assert found.call == f"{list_pages.name}(1, 10)"
    assert found.server == "memory://explained"
    assert found.key == place(list_pages.call(1), engine()).key
    assert all(tag.agrees and tag.written for tag in found.tags)
    assert found.entry is not None
    assert found.entry.codec == "MessagePack"
    assert found.entry.value == list_pages(1)
    assert 50 < found.entry.fresh_for <= 60
    assert found.lease_held is False


def test_the_size_is_told_with_and_without_compression(store: Flaky) -> None:
    list_pages(1, size=1000)
    found = explain(list_pages.call(1, size=1000))

    assert found.entry is not None
    assert found.entry.compressed
    assert found.entry.bytes == len(store.get([found.key])[0] or b"")
    assert found.entry.payload_bytes > found.entry.bytes


def test_an_entry_that_is_shown_past_its_timeout_is_stale(store: Flaky) -> None:
    count_books()

    found = explain(count_books.call())

    assert found.state == "stale"
    assert found.entry is not None
    assert found.entry.fresh_for < 0


def test_an_outdated_entry_names_the_tag_that_changed() -> None:
    list_pages(1)
    caching.invalidate("book:1")

    with_hook = explain(list_pages.call(1))

    # Inside the transaction nothing is delivered yet: it waits in the database.
    assert with_hook.state == "fresh"
    assert with_hook.undelivered == 1


@pytest.mark.django_db(transaction=True)
def test_after_the_commit_the_changed_tag_is_named() -> None:
    list_pages(1)
    caching.invalidate("book:1")

    found = explain(list_pages.call(1))

    assert found.state == "outdated"
    assert found.outdated_by == ("book:1",)
    assert found.entry is not None
    assert found.undelivered == 0
    assert "book:1 has changed since" in run("list_pages", "1")


def test_an_evicted_version_outdates_too(store: Flaky) -> None:
    list_pages(1)
    store.clear(containing=":t:books")

    found = explain(list_pages.call(1))

    assert (found.state, found.outdated_by) == ("outdated", ("books",))


def test_a_damaged_entry_is_unreadable_and_the_command_says_so() -> None:
    list_pages(1)
    where = place(list_pages.call(1), engine())
    where.node.put([Item(where.key, b"K9 of another program", 60)])

    assert explain(list_pages.call(1)).state == "unreadable"
    with pytest.raises(CommandError, match="cannot be read") as failure:
        run("list_pages", "1")
    assert failure.value.returncode == 1


def test_a_server_that_is_away_is_said_to_be_away(store: Flaky) -> None:
    store.away = True

    assert explain(list_pages.call(1)).state == "away"
    with pytest.raises(CommandError, match="does not answer") as failure:
        run("list_pages", "1")
    assert failure.value.returncode == 1


def test_a_computation_that_goes_on_holds_the_lease() -> None:
    list_pages(1)
    where = place(list_pages.call(1), engine())
    versions = where.node.versions(where.tags) or ()
    where.node.add([Item(engine().keys.lease(where.key, versions), b"1", 10)])

    assert explain(list_pages.call(1)).lease_held
    assert "somebody computes it now" in run("list_pages", "1")


@pytest.mark.parametrize(
    ("tags", "server", "number"),
    [
        (["book:1"], "", 1),
        ([], "memory://explained", 1),
        (["book:2"], "", 0),
        (["book:1"], "memory://another", 0),
    ],
)
def test_what_the_server_was_not_told_is_counted(tags: list[str], server: str, number: int) -> None:
    Undelivered.objects.create(tags=tags, server=server)

    assert explain(list_pages.call(1)).undelivered == number


def test_explaining_changes_nothing(store: Flaky) -> None:
    list_pages(1)
    before = dict(store._items)

    explain(list_pages.call(1))
    explain(list_pages.call(2))

    assert dict(store._items) == before


def test_what_is_explained_is_what_a_look_up_finds() -> None:
    def agree(found: Explanation) -> bool:
        return (found.state == "fresh") == look_up([list_pages.call(1)])[0].is_hit

    assert agree(explain(list_pages.call(1)))
    list_pages(1)
    assert agree(explain(list_pages.call(1)))
    where = place(list_pages.call(1), engine())
    where.node.put([Item(engine().keys.tag("books"), new_version(), 60)])
    assert agree(explain(list_pages.call(1)))


def test_the_command_explains_for_people_and_for_programs() -> None:
    list_pages(1)

    said = run("list_pages", "number=1")
    document = json.loads(run("list_pages", "1", "size=10", "--json"))

    assert "fresh: shown as it is" in said
    assert "book:1" in said
    assert "the same" in said
    assert "page 3 of 1" not in said
    assert document["state"] == "fresh"
    assert "value" not in document["entry"]


def test_the_value_is_shown_to_who_asks() -> None:
    list_pages(1)

    assert "page 3 of 1" in run("list_pages", "1", "--value")
    assert json.loads(run("list_pages", "1", "--value", "--json"))["entry"]["value"][0]


def test_a_language_may_be_chosen() -> None:
    with translation.override("de"):
        name_language()

    assert json.loads(run("name_language", "--language", "en", "--json"))["state"] == "absent"
    with pytest.raises(CommandError, match="invalid choice"):
        run("name_language", "--language", "xx")


def test_without_a_name_every_function_is_listed() -> None:
    said = run()
    listed = json.loads(run("--json"))["functions"]

    assert "tests.unit.caching.test_explaining.list_pages" in said
    (one,) = [one for one in listed if one["name"] == list_pages.name]
    assert one["timeout"] == 60
    assert one["tags"] == ["books", "book:{number}"]
    assert one["kind"] == "function"
    assert {one["name"] for one in listed} == {*functions, *views}
    assert "widget" in {one["kind"] for one in listed}


@pytest.mark.parametrize(
    "words", [["nothing.like.this"], ["list_pages", "1", "2"], ["list_pages", "x=1", "1"]]
)
def test_what_is_typed_wrongly_ends_with_two(words: list[str]) -> None:
    with pytest.raises(CommandError) as failure:
        run(*words)

    assert failure.value.returncode == 2


class Colour(Enum):
    RED = "red"


def test_a_name_may_be_cut_short_as_long_as_it_is_one() -> None:
    assert find_function("test_explaining.list_pages").name == list_pages.name
    assert find_function("tests.unit.caching.test_explaining.cou").name == count_books.name
    with pytest.raises(UnknownName, match="may be"):
        find_function("tests.unit.caching.test_explaining")


@pytest.mark.parametrize(
    ("word", "kind", "value"),
    [
        ("17", int, 17),
        ("17", str, "17"),
        ("'17'", str, "17"),
        ("a b", str, "a b"),
        ("2026-01-31", date, date(2026, 1, 31)),
        ("00000000-0000-0000-0000-000000000001", UUID, UUID(int=1)),
        ("red", Colour, Colour.RED),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ("null", int | None, None),
        ("None", int | None, None),
        ("true", bool, True),
        ("True", bool, True),
        ('{"a": 1}', Any, {"a": 1}),
        ("plain", Any, "plain"),
    ],
)
def test_a_word_is_read_as_the_function_wants_it(word: str, kind: Any, value: object) -> None:
    read = read_value(word, kind)

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("word", "kind"), [("x", int), ("2026-13-01", date), ("blue", Colour)])
def test_a_word_that_is_none_of_the_kind_is_refused(word: str, kind: Any) -> None:
    with pytest.raises(WrongArguments, match="will not do"):
        read_value(word, kind)


def test_arguments_go_by_position_and_by_name() -> None:
    @caching.cached(timeout=MINUTE)
    def varied(first: int, *rest: str, day: date, **more: object) -> str:
        return ""

    function: CachedFunction[Any, Any] = varied
    call = read_call(function, ["1", "2", "x=y=z", "day=2026-01-31", "extra=3"])

    assert call.digest == varied.call(1, "2", day=date(2026, 1, 31), x="y=z", extra=3).digest
