"""Cached fragments of pages, in templates and in one round trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import SafeString
from pytest_django import Settings

from apps import caching
from apps.caching import memo
from apps.caching.widgets import registry
from tests.support.caching import trace

MINUTE = timedelta(minutes=1)
looks: list[object] = []


@pytest.fixture(autouse=True)
def _shop(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Two widgets with templates of their own, gone again after the test."""
    folder = tmp_path / "shop" / "widgets"
    folder.mkdir(parents=True)
    (folder / "card.html").write_text("<b>{{ number }}</b>")
    (folder / "numbers.html").write_text("{{ days }} days")
    template = {**settings.TEMPLATES[0], "DIRS": [tmp_path]}
    settings.TEMPLATES = [template]
    known = dict(registry)
    looks.clear()
    caching.widget("shop.card", timeout=MINUTE, tags=["card:{number}"], bulk=many)(card)
    caching.widget("shop.numbers", timeout=MINUTE, tags=["cards"])(numbers)
    yield
    registry.clear()
    registry.update(known)


def card(number: int) -> dict[str, object] | None:
    looks.append(number)
    return {"number": number} if number else None


def many(numbers: Sequence[int]) -> dict[int, dict[str, object] | None]:
    looks.append(list(numbers))
    return {number: {"number": number} for number in numbers if number}


def numbers(*, days: int = 7) -> dict[str, object]:
    looks.append("numbers")
    return {"days": days}


def render(source: str, **context: object) -> str:
    return Template("{% load widgets %}" + source).render(Context(context))


def test_a_template_shows_a_widget_by_name() -> None:
    page = '{% widget "shop.numbers" days=3 %}'

    assert render(page) == render(page) == "3 days"
    assert looks == ["numbers"]


def test_a_list_of_widgets_is_one_round_trip() -> None:
    page = '{% widgets "shop.card" numbers %}'
    render(page, numbers=[1, 2, 3])

    with trace() as seen:
        shown = render(page, numbers=[1, 2, 3])

    assert shown == "<b>1</b><b>2</b><b>3</b>"
    assert seen.lines == ["get shop.card*3 +5 tags"]
    assert looks == [[1, 2, 3]]


def test_objects_are_named_by_their_key() -> None:
    class Row:
        pk = 4

    assert render('{% widgets "shop.card" rows %}', rows=[Row()]) == "<b>4</b>"


def test_nothing_to_show_is_kept_too() -> None:
    assert render('{% widget "shop.card" 0 %}{% widget "shop.card" 0 %}') == ""
    assert looks == [0]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(caching.UnknownWidget, match=r"shop\.nothing"):
        render('{% widget "shop.nothing" %}')


def test_a_changed_template_is_another_entry(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG = True
    assert render('{% widget "shop.numbers" %}') == "7 days"

    (tmp_path / "shop/widgets/numbers.html").write_text("{{ days }} nights")
    settings.TEMPLATES = [{**settings.TEMPLATES[0]}]

    assert render('{% widget "shop.numbers" %}') == "7 nights"


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ImproperlyConfigured, match="two widgets"):
        caching.widget("shop.card", timeout=MINUTE)(numbers)


@pytest.mark.parametrize("name", ["card", "shop.", "shop.a.b", "shop/card"])
def test_a_name_is_an_app_and_a_noun(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"<app>\.<noun>"):
        caching.widget(name, timeout=MINUTE)(numbers)


def test_prefetch_looks_everything_up_at_once() -> None:
    render('{% widget "shop.numbers" %}{% widgets "shop.card" numbers %}', numbers=[1, 2])

    with trace() as seen, memo.remembering():
        caching.prefetch(
            caching.call("shop.numbers"), *(caching.call("shop.card", n) for n in (1, 2))
        )
        render('{% widget "shop.numbers" %}{% widgets "shop.card" numbers %}', numbers=[1, 2])

    assert seen.lines == ["get shop.card*2 shop.numbers +6 tags"]


def test_what_prefetch_missed_is_not_looked_up_again() -> None:
    with trace() as seen, memo.remembering():
        caching.prefetch(caching.call("shop.numbers"))
        render('{% widget "shop.numbers" %}{% widget "shop.numbers" %}')

    assert seen.lines == [
        "get shop.numbers +3 tags",
        "add +3 tags",
        "get +3 tags",
        "add +1 leases",
        "get shop.numbers +3 tags",  # it may have been stored before we had the lease
        "put shop.numbers",
        "drop +1 leases",
    ]
    assert looks == ["numbers"]


def test_outside_a_request_prefetch_does_nothing() -> None:
    with trace() as seen:
        caching.prefetch(caching.call("shop.numbers"))

    assert seen.lines == []


def test_a_change_in_the_request_is_seen_in_the_request() -> None:
    with memo.remembering():
        render('{% widget "shop.card" 1 %}')
        caching.invalidate("card:1")
        render('{% widget "shop.card" 1 %}')

    assert looks == [1, 1]


def test_types_are_those_of_a_fragment() -> None:
    """Read by mypy, as its twin of the functions."""
    made = caching.widget("shop.card", timeout=MINUTE, tags=["card:{number}"])(card)

    assert_type(made(1), SafeString)
    assert_type(made.call(1), caching.Call[SafeString])
    assert_type(made.each([1, 2]), list[SafeString])
    assert_type(caching.call("shop.card", 1), caching.Call[SafeString])
    assert isinstance(made(1), SafeString)


def test_a_fragment_escapes_what_it_shows() -> None:
    assert render('{% widget "shop.numbers" days=days %}', days="<i>") == "&lt;i&gt; days"


def test_a_fragment_may_be_named_for_later() -> None:
    assert render('{% widget "shop.numbers" as shown %}[{{ shown }}]') == "[7 days]"


def test_a_fragment_is_rendered_for_each_language(tmp_path: Path) -> None:
    (tmp_path / "shop/widgets/numbers.html").write_text(
        "{% load i18n %}{% get_current_language as code %}{{ code }}"
    )

    shown = []
    for language in ("en", "de", "en"):
        with translation.override(language):
            shown.append(render('{% widget "shop.numbers" %}'))

    assert shown == ["en", "de", "en"]
    assert looks == ["numbers", "numbers"]


def test_a_fragment_inside_a_fragment_needs_its_tags(tmp_path: Path) -> None:
    (tmp_path / "shop/widgets/numbers.html").write_text(
        '{% load widgets %}{% widget "shop.card" 1 %}'
    )

    assert render('{% widget "shop.numbers" %}{% widget "shop.numbers" %}') == "<b>1</b><b>1</b>"
    assert looks.count("numbers") == 2  # shown, and not stored: it lacks the tag card:1


def test_more_arguments_go_to_every_fragment_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "shop/widgets/price.html").write_text("{{ number }}{{ unit }} ")

    @caching.widget("shop.price", timeout=MINUTE)
    def price(number: int, *, unit: str) -> dict[str, object]:
        return {"number": number, "unit": unit}

    assert render('{% widgets "shop.price" numbers unit="EUR" %}', numbers=[1, 2]) == "1EUR 2EUR "


def test_an_empty_list_asks_nobody() -> None:
    with trace() as seen:
        assert render('{% widgets "shop.card" numbers %}', numbers=[]) == ""

    assert seen.lines == []


def test_a_change_renders_only_what_shows_it() -> None:
    page = '{% widgets "shop.card" numbers %}'
    render(page, numbers=[1, 2, 3])
    looks.clear()

    caching.invalidate("card:2", "card:3")

    assert render(page, numbers=[1, 2, 3]) == "<b>1</b><b>2</b><b>3</b>"
    assert looks == [[2, 3]]
