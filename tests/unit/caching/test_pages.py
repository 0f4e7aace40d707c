"""Whole pages: what they cost, how they learn their tags, and who gets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from pytest_django import Settings

from apps import caching
from apps.caching.learning import Guesses, guesses
from tests.support.caching import trace
from tests.support.races import write
from tests.support.views import MINUTES, a_request, counted, renderings, shelf, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_rendered() -> None:
    renderings.clear()


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="old")


# --- What it costs, and how it learns its tags ----------------------------------------------------
def test_a_warm_page_is_one_round_trip_and_no_query(group: Group) -> None:
    first = shelf(a_request(), pk=group.pk)
    renderings.clear()

    with trace() as seen:
        again = shelf(a_request(), pk=group.pk)

    assert seen.lines == ["get tests.support.views.shelf +3 tags"]
    assert renderings == []
    assert text(again) == text(first) == "old  auto en"
    assert dict(again.items()) == dict(first.items())


def test_the_first_page_is_computed_again_with_the_tags_that_it_turned_out_to_have(
    group: Group,
) -> None:
    shelf(a_request(), pk=group.pk)
    assert len(renderings) == 2

    write(group, "new")
    assert text(shelf(a_request(), pk=group.pk)).startswith("new")

    assert len(renderings) == 3  # they are known by now


def test_a_process_that_does_not_know_the_tags_learns_them_from_what_is_stored(
    group: Group,
) -> None:
    shelf(a_request(), pk=group.pk)
    renderings.clear()
    guesses.forget_all()

    with trace() as seen:
        shelf(a_request(), pk=group.pk)
    assert [trip.verb for trip in seen.trips] == ["get", "get"]
    assert renderings == []

    with trace() as seen:
        shelf(a_request(), pk=group.pk)
    assert [trip.verb for trip in seen.trips] == ["get"]


def test_a_wrong_guess_costs_a_second_look_and_shows_nothing_old(group: Group) -> None:
    shelf(a_request(), pk=group.pk)
    digest = next(iter(guesses._tags))
    guesses.remember(digest, ("something", "else"))
    renderings.clear()

    assert text(shelf(a_request(), pk=group.pk)).startswith("old")
    assert renderings == []

    guesses.remember(digest, ("something", "else"))
    write(group, "new")
    assert text(shelf(a_request(), pk=group.pk)).startswith("new")


def test_a_query_of_the_page_itself_is_named_by_uses() -> None:
    assert text(counted(a_request())) == "0"
    assert text(counted(a_request())) == "0"

    with transaction.atomic():
        Group.objects.create(name="one")
        caching.invalidate("groups")

    assert text(counted(a_request())) == "1"


def test_declared_tags_take_the_arguments_and_need_no_learning(group: Group) -> None:
    made: list[int] = []

    @caching.cached_view(timeout=MINUTES, tags=["group:{pk}"])
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        made.append(pk)
        return HttpResponse(Group.objects.get(pk=pk).name)

    page(a_request(), pk=group.pk)
    page(a_request(), pk=group.pk)
    assert made == [group.pk]

    write(group, "new")
    assert text(page(a_request(), pk=group.pk)) == "new"


def test_the_tags_may_be_a_function_of_the_arguments(group: Group) -> None:
    @caching.cached_view(timeout=MINUTES, tags=lambda pk: [f"group:{pk}"])
    def page(request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(Group.objects.get(pk=pk).name)

    page(a_request(), pk=group.pk)
    write(group, "new")

    assert text(page(a_request(), pk=group.pk)) == "new"


def test_guesses_are_forgotten_before_they_fill_the_memory() -> None:
    few = Guesses(most=2)
    for digest in ("a", "b", "a", "c"):
        few.remember(digest, (digest,))

    assert len(few) == 2
    assert few.recall("b") == ()
    assert few.recall("a") == ("a",)


@pytest.mark.usefixtures("nothing_is_stale")
def test_the_fixture_for_stale_entries_covers_pages(group: Group) -> None:
    shelf(a_request(), pk=group.pk)
    counted(a_request())

    write(group, "new")


def test_who_has_written_sees_his_own_writes_and_leaves_no_page(group: Group) -> None:
    shelf(a_request(), pk=group.pk)

    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="never")
        caching.changed(group)
        assert text(shelf(a_request(), pk=group.pk)).startswith("never")
        guesses.forget_all()  # a process that cannot know that the page shows what has changed
        assert text(shelf(a_request(), pk=group.pk)).startswith("never")
        transaction.set_rollback(True)

    assert text(shelf(a_request(), pk=group.pk)).startswith("old")


def test_after_its_time_a_page_is_shown_while_the_next_one_is_computed(group: Group) -> None:
    made: list[str] = []

    @caching.cached_view(timeout=timedelta(milliseconds=1), stale_for=MINUTES, refresh_ahead=False)
    def page(request: HttpRequest) -> HttpResponse:
        made.append(request.path)
        return HttpResponse(str(len(made)))

    assert text(page(a_request())) == "1"
    while text(page(a_request())) == "1":
        pass

    assert len(made) >= 2
    assert set(made) == {"/shelf/"}


# --- Who gets it ----------------------------------------------------------------------------------
STRANGERS: dict[str, dict[str, Any]] = {
    "a session": {"cookies": {"sessionid": "x"}},
    "messages": {"cookies": {"messages": "x"}},
    "authorization": {"HTTP_AUTHORIZATION": "Basic eDp5"},
    "a user": {"user": User(username="ada")},
    "another method": {"method": "POST"},
    "an unknown parameter": {"address": "/shelf/?page=2"},
    "another value": {"address": "/shelf/?sort=hot"},
    "two values": {"address": "/shelf/?sort=new&sort=old"},
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_whoever_is_not_like_the_others_neither_gets_the_page_nor_fills_it(
    stranger: str, group: Group
) -> None:
    with trace() as seen:
        response = shelf(a_request(**STRANGERS[stranger]), pk=group.pk)
    assert not any("views.shelf" in line for line in seen.lines)
    assert "ETag" not in response
    assert "Cookie" in response["Vary"]

    shelf(a_request(), pk=group.pk)
    renderings.clear()
    shelf(a_request(**STRANGERS[stranger]), pk=group.pk)
    assert len(renderings) == 1


def test_a_session_that_was_changed_on_the_way_is_not_passed_over(group: Group) -> None:
    request = a_request()
    request.session["seen"] = 1

    assert "ETag" not in shelf(request, pk=group.pk)


def test_cookies_that_are_not_declared_change_nothing_and_reach_nobody(group: Group) -> None:
    shelf(a_request(), pk=group.pk)
    renderings.clear()

    response = shelf(a_request(cookies={"tracking": "1", "theme": "<b>"}), pk=group.pk)

    assert text(response) == "old  auto en"
    assert renderings == []


def test_each_declared_choice_has_a_page_of_its_own(group: Group) -> None:
    bodies = {
        text(shelf(a_request(address, cookies={"theme": theme}), pk=group.pk))
        for address in ("/shelf/", "/shelf/?sort=new", "/shelf/?sort=old&utm_source=x&fbclid=1")
        for theme in ("light", "dark", "")
    }

    assert len(bodies) == 9


def test_a_flood_of_addresses_and_cookies_fills_nothing(group: Group) -> None:
    shelf(a_request(), pk=group.pk)

    with trace() as seen:
        for number in range(50):
            shelf(a_request(f"/shelf/?x{number}={number}"), pk=group.pk)
            shelf(a_request(f"/shelf/?sort={number}"), pk=group.pk)
            shelf(a_request(f"/shelf/?utm_x={number}", cookies={"theme": str(number)}), pk=group.pk)

    assert not any(trip.verb == "put" for trip in seen.trips)


def test_only_the_addresses_of_the_site_are_kept(group: Group, settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "ORIGINS": ["http://testserver"]}

    assert "ETag" in shelf(a_request(), pk=group.pk)
    assert "ETag" not in shelf(a_request(HTTP_HOST="testserver:8123"), pk=group.pk)


def test_hosts_and_schemes_have_pages_of_their_own(group: Group) -> None:
    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.build_absolute_uri("/"))

    bodies = [text(page(a_request(HTTP_HOST=host))) for host in ("testserver", "testserver:8123")]
    secure = a_request(**{"wsgi.url_scheme": "https"})

    assert [*bodies, text(page(secure))] == [
        "http://testserver/", "http://testserver:8123/", "https://testserver:80/",
    ]  # fmt: skip


def test_languages_and_time_zones_have_pages_of_their_own(group: Group) -> None:
    with translation.override("de"):
        german = text(shelf(a_request(), pk=group.pk))
    english = text(shelf(a_request(), pk=group.pk))
    renderings.clear()
    with timezone.override("Asia/Tokyo"):
        shelf(a_request(), pk=group.pk)

    assert german.endswith(" de")
    assert english.endswith(" en")
    assert renderings


def test_what_vary_returns_is_part_of_the_key() -> None:
    flags = ["old"]

    @caching.cached_view(timeout=MINUTES, vary=lambda request: flags[0])
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(flags[0])

    assert text(page(a_request())) == "old"
    flags[0] = "new"
    assert text(page(a_request())) == "new"


def test_a_page_in_development_is_for_one_process(group: Group, settings: Settings) -> None:
    shelf(a_request(), pk=group.pk)
    renderings.clear()
    settings.DEBUG = True

    shelf(a_request(), pk=group.pk)

    assert renderings
