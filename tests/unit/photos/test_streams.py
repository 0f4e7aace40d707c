"""Streams: home and the page of a person, what they show, to whom, and what they cost."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from inline_snapshot import snapshot

from apps import caching
from apps.accounts.models import User
from apps.photos import selectors, services, widgets
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.caching import trace
from tests.support.pages import cards_in, logged_in, page_of, steps, the_one
from tests.support.photos import NOON, make_photo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture
def ada() -> User:
    return make_user("ada", display_name="Ada Lovelace", bio="By the sea.")


# --- Home -----------------------------------------------------------------------------------------
def test_home_shows_everybodys_photos_newest_first(client: Client, ada: User) -> None:
    older = make_photo(ada, title="Harbour", alt="Boats at dawn")
    newer = make_photo(title="Hill")

    page = page_of(client, "/")

    assert page.index(newer.get_absolute_url()) < page.index(older.get_absolute_url())
    assert 'alt="Boats at dawn"' in page
    assert "Ada Lovelace" in page
    assert "<title>Photos" in page


def test_home_without_photos_says_so(client: Client) -> None:
    page = page_of(client, "/")

    assert "No photo yet" in page
    assert reverse("upload") in page


@pytest.mark.parametrize("state", ["queued", "developing", "failed"])
def test_home_shows_nothing_unfinished_not_even_to_its_owner(state: str, ada: User) -> None:
    photo = make_photo(ada, state=state)

    assert str(photo.pk) not in page_of(logged_in(ada), "/")


def test_the_stream_goes_on_by_links_without_gap_or_repeat(client: Client, ada: User) -> None:
    made = [make_photo(ada) for _ in range(2 * selectors.PAGE + 3)]
    same_moment = [make_photo(ada, published_at=NOON) for _ in range(3)]
    seen: list[str] = []
    address = "/"

    while address:
        page = page_of(client, address)
        seen += cards_in(page)
        address = next_of(page)

    assert len(seen) == len(set(seen)) == len(made) + len(same_moment)
    assert seen[: len(made)] == [str(photo.pk) for photo in reversed(made)]


def test_a_photo_that_comes_in_meanwhile_moves_no_page(client: Client, ada: User) -> None:
    for _ in range(selectors.PAGE + 2):
        make_photo(ada)
    address = next_of(page_of(client, "/"))
    before = cards_in(page_of(client, address))

    caching.changed(make_photo(ada))

    assert cards_in(page_of(client, address)) == before


def test_a_full_last_page_has_no_next(client: Client, ada: User) -> None:
    for _ in range(selectors.PAGE):
        make_photo(ada)

    assert next_of(page_of(client, "/")) == ""


def test_below_the_oldest_there_is_an_end(client: Client, ada: User) -> None:
    photo = make_photo(ada)
    assert photo.published_at is not None
    cursor = selectors.Cursor(photo.published_at, photo.pk)

    assert "That was the first photo" in page_of(client, f"/?before={cursor}")
    assert "That was the first photo" in page_of(client, f"/people/ada/?before={cursor}")


@pytest.mark.parametrize(
    "before", ["x", "-", "12", "zz-zz", "1-2", f"{'f' * 60}-{'0' * 32}", "1-" + "g" * 32]
)
def test_a_place_in_the_stream_that_nobody_wrote_is_not_found(client: Client, before: str) -> None:
    page_of(client, f"/?before={before}", status=404)


def test_a_place_has_one_spelling_so_the_cache_has_one_entry() -> None:
    cursor = selectors.Cursor(NOON + timedelta(microseconds=1), uuid.uuid4())

    assert selectors.Cursor.parse(str(cursor)) == cursor
    assert str(selectors.Cursor.parse(str(cursor).upper())) == str(cursor)


def next_of(page: str) -> str:
    _, found, rest = page.partition('rel="next" href="')
    return f"/{rest.partition(chr(34))[0]}" if found else ""


# --- What home costs ------------------------------------------------------------------------------
# An address that the kept page is not for: what it is built from is asked for, not the whole.
PAST_THE_PAGE = "/?x=1"


@pytest.mark.django_db(transaction=True)
def test_home_costs_an_anonymous_visitor_one_round_trip_and_no_query(client: Client) -> None:
    ada = make_user("ada")
    photos = [make_photo(ada, like_count=1) for _ in range(3)]
    page_of(client, PAST_THE_PAGE)
    with trace() as cold:
        page_of(client, "/")

    with trace() as warm:
        page_of(client, "/")
    services.change_like_count(photo_id=photos[0].pk, by=0)
    with trace() as after:
        page_of(client, "/")

    assert steps(warm) == snapshot(["get apps.photos.views.looking.home +10 tags"])
    assert steps(cold) == snapshot(
        [
            "get apps.photos.views.looking.home +2 tags",
            "add +1 tags",
            "get +2 tags",
            "add +1 leases",
            "get apps.photos.views.looking.home +2 tags",
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "get photos.card*3 +6 tags",
            "get +10 tags",
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "get photos.card*3 +6 tags",
            "put apps.photos.views.looking.home",
            "drop +1 leases",
        ]
    )
    assert steps(after) == snapshot(
        [
            "get apps.photos.views.looking.home +10 tags",
            "add +1 leases",
            "get apps.photos.views.looking.home +10 tags",
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "get photos.card*3 +6 tags",
            "add +1 leases",
            "get photos.card +4 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.card",
            "drop +1 leases",
            "add +1 leases",
            "get photos.popular +4 tags",
            "SELECT photos_photo",
            "put photos.popular",
            "drop +1 leases",
            "add +1 leases",
            "get photos.numbers +5 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.numbers",
            "drop +1 leases",
            "put apps.photos.views.looking.home",
            "drop +1 leases",
        ]
    )


@pytest.mark.django_db(transaction=True)
def test_home_past_its_page_costs_two_round_trips_and_no_query(client: Client) -> None:
    ada = make_user("ada")
    for _ in range(3):
        make_photo(ada, like_count=1)
    with trace() as cold:
        page_of(client, PAST_THE_PAGE)

    with trace() as warm:
        page_of(client, PAST_THE_PAGE)

    assert steps(cold) == snapshot(
        [
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "add +3 tags",
            "get +3 tags",
            "add +1 leases",
            "get list_stream +3 tags",
            "SELECT photos_photo",
            "put list_stream",
            "drop +1 leases",
            "add +3 tags",
            "get +3 tags",
            "add +1 leases",
            "get announcements.current +3 tags",
            "SELECT announcements_announcement",
            "put announcements.current",
            "drop +1 leases",
            "get photos.card*3 +6 tags",
            "add +5 tags",
            "get +6 tags",
            "add +3 leases",
            "get photos.card*3 +3 leases +6 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.card*3",
            "drop +3 leases",
            "add +4 tags",
            "get +4 tags",
            "add +1 leases",
            "get photos.popular +4 tags",
            "SELECT photos_photo",
            "put photos.popular",
            "drop +1 leases",
            "add +3 tags",
            "get +3 tags",
            "add +1 leases",
            "get accounts.newest +3 tags",
            "SELECT accounts_user",
            "put accounts.newest",
            "drop +1 leases",
            "add +5 tags",
            "get +5 tags",
            "add +1 leases",
            "get photos.numbers +5 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.numbers",
            "drop +1 leases",
        ]
    )
    assert steps(warm) == snapshot(
        [
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "get photos.card*3 +6 tags",
        ]
    )


@pytest.mark.django_db(transaction=True)
def test_a_change_to_one_photo_costs_one_card(client: Client) -> None:
    ada = make_user("ada")
    photos = [make_photo(ada) for _ in range(3)]
    page_of(client, PAST_THE_PAGE)
    services.change_like_count(photo_id=photos[0].pk, by=0)

    with trace() as after:
        page_of(client, PAST_THE_PAGE)

    assert steps(after) == snapshot(
        [
            "get accounts.newest announcements.current list_stream photos.numbers"
            " photos.popular +10 tags",
            "get photos.card*3 +6 tags",
            "add +1 leases",
            "get photos.card +4 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.card",
            "drop +1 leases",
            "add +1 leases",
            "get photos.popular +4 tags",
            "SELECT photos_photo",
            "put photos.popular",
            "drop +1 leases",
            "add +1 leases",
            "get photos.numbers +5 tags",
            "SELECT photos_photo",
            "SELECT accounts_user",
            "put photos.numbers",
            "drop +1 leases",
        ]
    )


def test_the_widgets_of_home_are_ready_before_the_first_visitor() -> None:
    make_photo()

    names = [call.name for call in widgets.home()]

    assert names == [
        "apps.photos.selectors.streams.list_stream",
        "photos.popular",
        "photos.numbers",
        "photos.card",
    ]


# --- Person ---------------------------------------------------------------------------------------
def test_the_page_of_a_person_shows_their_photos_only(client: Client, ada: User) -> None:
    hers, other = make_photo(ada), make_photo()

    page = page_of(client, "/people/ada/")

    assert cards_in(page) == [str(hers.pk)]
    assert str(other.pk) not in page
    assert "<h1>Ada Lovelace</h1>" in page
    assert "By the sea." in page


def test_a_name_in_any_case_leads_to_the_one_address_of_its_person(
    client: Client, ada: User
) -> None:
    assert client.get("/people/ADA/").headers["Location"] == "/people/ada/"
    assert client.get("/people/Ada/?before=x").headers["Location"] == "/people/ada/?before=x"
    assert "Ada Lovelace" in page_of(client, "/people/ada/")


def test_nobody_of_that_name_is_not_found(client: Client) -> None:
    make_user("gone", is_active=False)

    page_of(client, "/people/nobody/", status=404)
    page_of(client, "/people/gone/", status=404)


@pytest.mark.parametrize("state", ["queued", "developing", "failed"])
@pytest.mark.parametrize(
    ("who", "sees"), [("owner", True), ("staff", True), ("stranger", False), ("nobody", False)]
)
def test_what_is_unfinished_is_for_its_owner_and_staff(
    state: str, who: str, sees: bool, ada: User
) -> None:
    photo = make_photo(ada, state=state)
    viewer = the_one(who, ada)

    page = page_of(logged_in(viewer), "/people/ada/")

    assert (str(photo.pk) in page) is sees


def test_a_photo_that_is_finished_while_the_page_is_put_together_is_shown_once(ada: User) -> None:
    photo = make_photo(ada)
    Photo.objects.filter(pk=photo.pk).update(state="developing")
    browser = logged_in(ada)
    looks: list[str] = []

    def finish_after_the_first_look(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if sql.startswith("SELECT") and "photos_photo" in sql and not looks:
            looks.append(sql)
            Photo.objects.filter(pk=photo.pk).update(state="ready")
        return answer

    with connection.execute_wrapper(finish_after_the_first_look):
        page = page_of(browser, "/people/ada/")

    assert looks
    assert page.count(f'data-photo="{photo.pk}"') == 1


def test_an_unfinished_card_tells_the_script_where_to_ask(ada: User) -> None:
    photo = make_photo(ada, state="developing", original_name="dsc1.jpg")

    page = page_of(logged_in(ada), "/people/ada/")

    assert f'data-state-url="/photos/{photo.pk}/state/"' in page
    assert f'data-fragment-url="/photos/{photo.pk}/card/"' in page
    assert "dsc1.jpg is developed." in page
    assert "js/developing.js" in page


def test_ones_own_empty_page_leads_to_the_upload(ada: User) -> None:
    assert "You have not shown a photo yet" in page_of(logged_in(ada), "/people/ada/")
    assert "No photo yet" in page_of(Client(), "/people/ada/")
