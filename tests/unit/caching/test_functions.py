"""What the decorator promises to those who use it."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from apps import caching
from apps.caching.stats import counted
from tests.support.caching import trace

MINUTE = timedelta(minutes=1)


@dataclass
class Card:
    number: int
    title: str


@dataclass
class Fussy:
    content: ClassVar[bool] = True
    number: int

    def __post_init__(self) -> None:
        if not self.content:
            raise LookupError("not today")


class Shelf:
    """Things that change, and how often they were looked at."""

    def __init__(self) -> None:
        self.titles = {1: "Harbour", 2: "Ferry", 3: "Gulls"}
        self.looks: list[object] = []


shelf = Shelf()


@pytest.fixture(autouse=True)
def _new_shelf() -> None:
    shelf.__init__()  # type: ignore[misc]


@caching.cached(timeout=MINUTE, tags=["card:{number}", "cards"])
def get_card(number: int, *, loud: bool = False) -> Card:
    """Return one card."""
    shelf.looks.append(number)
    title = shelf.titles[number]
    return Card(number, title.upper() if loud else title)


def find_titles(numbers: Sequence[int]) -> dict[int, str | None]:
    shelf.looks.append(list(numbers))
    return {number: shelf.titles[number] for number in numbers if number in shelf.titles}


@caching.cached(timeout=MINUTE, tags=["card:{number}"], bulk=find_titles)
def find_title(number: int) -> str | None:
    shelf.looks.append(number)
    return shelf.titles.get(number)


def test_a_value_is_computed_once() -> None:
    assert get_card(1) == get_card(1) == Card(1, "Harbour")
    assert shelf.looks == [1]


def test_a_function_keeps_its_face() -> None:
    assert getattr(get_card, "__name__", "") == "get_card"
    assert get_card.__doc__ == "Return one card."
    assert list(inspect.signature(get_card).parameters) == ["number", "loud"]


def test_an_argument_by_name_is_the_same_argument() -> None:
    get_card(1)
    get_card(number=1)
    get_card(1, loud=False)

    assert shelf.looks == [1]


def test_other_arguments_are_another_entry() -> None:
    assert get_card(1).title == "Harbour"
    assert get_card(1, loud=True).title == "HARBOUR"
    assert get_card(2).title == "Ferry"


def test_none_is_a_value() -> None:
    assert find_title(9) is None
    assert find_title(9) is None
    assert shelf.looks == [9]


@pytest.mark.parametrize("tag", ["card:1", "cards"])
def test_a_tag_makes_its_entries_out_of_date(tag: str) -> None:
    get_card(1)
    shelf.titles[1] = "Pier"

    caching.invalidate(tag)

    assert get_card(1).title == "Pier"


def test_another_tag_does_not() -> None:
    get_card(1)

    caching.invalidate("card:2")

    get_card(1)
    assert shelf.looks == [1]


def test_fresh_goes_past_the_cache() -> None:
    get_card(1)
    shelf.titles[1] = "Pier"

    assert get_card.fresh(1).title == "Pier"
    assert get_card(1).title == "Harbour"


def test_refresh_rewrites_in_place() -> None:
    get_card(1)
    shelf.titles[1] = "Pier"

    assert get_card.refresh(1).title == "Pier"
    assert get_card(1).title == "Pier"


def test_forget_drops_one_entry() -> None:
    get_card(1)
    get_card(2)

    get_card.forget(1)

    get_card(1)
    get_card(2)
    assert shelf.looks == [1, 2, 1]


def test_a_hit_is_one_round_trip() -> None:
    get_card(1)

    with trace() as seen:
        get_card(1)

    assert len(seen.trips) == 1
    assert len(seen.trips[0].keys) == 5  # the value, two tags, the function, the epoch


def test_many_are_one_round_trip() -> None:
    get_card.many([(1,), (2,), (3,)])

    with trace() as seen:
        cards = get_card.many([(1,), (2,), (3,)])

    assert [card.title for card in cards] == ["Harbour", "Ferry", "Gulls"]
    assert len(seen.trips) == 1


def test_what_many_miss_is_computed_together() -> None:
    find_title(1)
    shelf.looks.clear()

    titles = find_title.many([(1,), (2,), (3,), (9,)])

    assert titles == ["Harbour", "Ferry", "Gulls", None]
    assert shelf.looks == [[2, 3, 9], 9]
    assert find_title(3) == "Gulls"
    assert shelf.looks == [[2, 3, 9], 9]


def test_the_same_twice_in_many_is_answered_twice() -> None:
    assert find_title.many([(1,), (1,), (2,)]) == ["Harbour", "Harbour", "Ferry"]


def test_a_failure_is_the_callers_and_is_not_kept() -> None:
    with pytest.raises(KeyError):
        get_card(9)
    shelf.titles[9] = "Buoy"

    assert get_card(9).title == "Buoy"


def test_a_model_is_no_argument() -> None:
    with pytest.raises(TypeError, match="pass an id"):
        get_card(Card(1, ""))  # type: ignore[arg-type]


def test_a_tag_names_an_argument() -> None:
    def declare() -> None:
        @caching.cached(timeout=MINUTE, tags=["card:{nmber}"])
        def get(number: int) -> int:
            return number

    with pytest.raises(TypeError, match="no argument is called nmber"):
        declare()


def test_bulk_is_for_one_argument() -> None:
    def declare() -> None:
        @caching.cached(timeout=MINUTE, bulk=find_titles)
        def get(number: int, other: int) -> str | None:
            return None

    with pytest.raises(TypeError, match="one argument"):
        declare()


def test_tags_may_be_a_function_of_the_arguments() -> None:
    @caching.cached(timeout=MINUTE, tags=lambda numbers: [f"card:{n}" for n in numbers])
    def list_titles(numbers: tuple[int, ...]) -> list[str]:
        return [shelf.titles[number] for number in numbers]

    list_titles((1, 2))
    shelf.titles[2] = "Pier"
    caching.invalidate("card:2")

    assert list_titles((1, 2)) == ["Harbour", "Pier"]


def test_one_tag_may_be_written_without_a_list() -> None:
    @caching.cached(timeout=MINUTE, tags="cards")
    def count_cards() -> int:
        return len(shelf.titles)

    assert count_cards.call().tags == ("cards",)


def test_an_entry_for_each_language(settings: object) -> None:
    from django.utils import translation

    @caching.cached(timeout=MINUTE, by_language=True)
    def greet() -> str:
        return translation.get_language() or ""

    with translation.override("de"):
        assert greet() == "de"
    assert greet() == "en"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: secrets.token_hex(2_000_000), "oversize"),
        (lambda: ("a", "b"), "uncacheable"),
        (lambda: shelf, "uncacheable"),
    ],
)
def test_what_cannot_be_stored_is_returned_all_the_same(
    make: Callable[[], object], why: str
) -> None:
    @caching.cached(timeout=MINUTE)
    def get() -> object:
        return make()

    first = get()

    assert type(first) is type(make())
    assert counted()[get.name][why] == 1


def test_too_many_tags_are_no_error() -> None:
    @caching.cached(timeout=MINUTE, tags=lambda: [f"card:{number}" for number in range(300)])
    def count_cards() -> int:
        return len(shelf.titles)

    assert count_cards() == count_cards() == 3
    assert counted()[count_cards.name]["uncacheable"] == 2


def test_a_class_that_objects_when_it_is_read_is_a_miss() -> None:
    @caching.cached(timeout=MINUTE)
    def get_fussy() -> Fussy:
        return Fussy(1)

    get_fussy()
    Fussy.content = False
    try:
        with pytest.raises(LookupError):
            get_fussy()  # from the computation, as without a cache
    finally:
        Fussy.content = True

    assert get_fussy() == Fussy(1)
    assert counted()[get_fussy.name]["misses_unreadable"] == 1


def test_what_happens_is_counted() -> None:
    get_card(1)
    get_card(1)
    caching.invalidate("card:1")
    get_card(1)

    numbers = counted()[get_card.name]

    assert numbers["hits"] == 1
    assert numbers["misses_absent"] == 1
    assert numbers["misses_outdated"] == 1
    assert numbers["computations"] == numbers["stores"] == 2
