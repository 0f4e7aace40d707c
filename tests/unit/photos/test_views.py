"""Who looks at a photo, how that is counted, and what its owner learns of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.photos import processing, selectors, services
from apps.photos.models import Photo, PhotoViews
from tests.support.accounts import make_user
from tests.support.batches import fold_all
from tests.support.pages import logged_in, page_of
from tests.support.photos import make_photo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]

OURS = {"Sec-Fetch-Site": "same-origin"}
TODAY = date(2026, 6, 30)


@pytest.fixture
def ada() -> User:
    return make_user("ada")


def look(client: Client, photo_id: UUID, headers: dict[str, str] = OURS) -> int:
    address = reverse("photo_seen", args=[photo_id])
    return client.post(address, headers=headers).status_code


def keep(photo: Photo, **days: int) -> None:
    """Store views, by how many days ago they were: `ago_3=5`."""
    counts = {
        (photo.pk, TODAY - timedelta(days=int(ago.removeprefix("ago_")))): count
        for ago, count in days.items()
    }
    processing.count_views(counts)


def views_of(photo: Photo) -> dict[date, int]:
    return dict(PhotoViews.objects.filter(photo=photo).values_list("day", "count"))


# --- Counting -------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_look_of_somebody_else_is_counted_on_its_day(
    events: list[Any], client: Client, ada: User
) -> None:
    photo = make_photo(ada)

    assert look(client, photo.pk) == 204
    assert look(logged_in(make_user("ben")), photo.pk) == 204
    fold_all()

    assert views_of(photo) == {timezone.localdate(): 2}


@pytest.mark.django_db(transaction=True)
def test_the_owner_is_not_counted_but_staff_are(events: list[Any], ada: User) -> None:
    photo = make_photo(ada)

    assert look(logged_in(ada), photo.pk) == 204
    assert look(logged_in(make_user("root", is_staff=True)), photo.pk) == 204
    fold_all()

    assert sum(views_of(photo).values()) == 1


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {},
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_a_page_of_another_site_counts_nothing(
    events: list[Any], client: Client, headers: dict[str, str]
) -> None:
    photo = make_photo()

    assert look(client, photo.pk, headers) == 403
    fold_all()

    assert views_of(photo) == {}


@pytest.mark.django_db(transaction=True)
def test_a_browser_that_says_its_origin_only_is_counted(events: list[Any], client: Client) -> None:
    photo = make_photo()

    assert look(client, photo.pk, {"Origin": "http://testserver"}) == 204
    fold_all()

    assert sum(views_of(photo).values()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "agent",
    ["Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "SkypeUriPreview", "xSpider"],
)
def test_a_robot_that_says_so_is_not_counted(events: list[Any], client: Client, agent: str) -> None:
    photo = make_photo()

    assert look(client, photo.pk, {**OURS, "User-Agent": agent}) == 204
    fold_all()

    assert views_of(photo) == {}


@pytest.mark.parametrize("state", ["queued", "developing", "failed"])
def test_only_a_published_photo_can_be_looked_at(client: Client, state: str) -> None:
    assert look(client, make_photo(state=state).pk) == 404


def test_what_is_no_photo_cannot_be_looked_at(client: Client) -> None:
    assert look(client, uuid4()) == 404


def test_a_look_is_posted_and_needs_no_token(client: Client) -> None:
    photo = make_photo()
    address = reverse("photo_seen", args=[photo.pk])

    assert client.get(address).status_code == 405
    assert look(Client(enforce_csrf_checks=True), photo.pk) == 204


@pytest.mark.django_db(transaction=True)
def test_neither_the_page_nor_the_look_writes_a_row(
    events: list[Any], client: Client, ada: User
) -> None:
    photo = make_photo(ada)
    visitors = [client, logged_in(make_user("ben")), logged_in(ada)]
    page_of(client, photo.get_absolute_url())

    with CaptureQueriesContext(connection) as queries:
        for visitor in visitors:
            page_of(visitor, photo.get_absolute_url())
            assert look(visitor, photo.pk) == 204

    words = {query["sql"].split()[0] for query in queries}
    assert words == {"SELECT"}


@pytest.mark.django_db(transaction=True)
def test_a_look_of_an_anonymous_visitor_asks_the_database_nothing(
    events: list[Any], client: Client
) -> None:
    photo = make_photo()
    page_of(client, photo.get_absolute_url())

    with CaptureQueriesContext(connection) as queries:
        assert look(client, photo.pk) == 204

    assert [query["sql"] for query in queries] == []


@pytest.mark.django_db(transaction=True)
def test_a_day_is_a_day_of_the_site(events: list[Any], settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    photo = make_photo()

    with time_machine.travel(datetime(2026, 6, 1, 18, tzinfo=UTC), tick=False):
        services.note_view(photo=selectors.describe(photo), viewer=None)
    fold_all()

    assert views_of(photo) == {date(2026, 6, 2): 1}


# --- The rows -------------------------------------------------------------------------------------
def test_views_are_added_to_those_of_their_day() -> None:
    photo, other = make_photo(), make_photo()

    keep(photo, ago_0=2, ago_1=1)
    keep(photo, ago_0=3)
    keep(other, ago_0=1)

    assert views_of(photo) == {TODAY: 5, TODAY - timedelta(days=1): 1}
    assert views_of(other) == {TODAY: 1}


def test_views_of_a_photo_that_is_gone_go_with_it() -> None:
    photo, gone = make_photo(), make_photo()
    keep(gone, ago_0=1)
    gone_id = gone.pk
    services.delete_photo(photo=gone)

    processing.count_views({(gone_id, TODAY): 4, (photo.pk, TODAY): 1})

    assert dict(PhotoViews.objects.values_list("photo_id", "count")) == {photo.pk: 1}
    assert str(PhotoViews.objects.get()) == f"{photo.pk} 2026-06-30: 1"


# --- What the owner sees --------------------------------------------------------------------------
@time_machine.travel("2026-06-30 12:00Z", tick=False)
def test_the_chart_is_of_thirty_days_and_the_total_of_all() -> None:
    photo = make_photo()
    keep(photo, ago_0=1, ago_29=200, ago_30=1000)

    views = selectors.read_views(photo_id=photo.pk)

    assert (views.total, views.recent, len(views.days)) == (1201, 201, 30)
    assert (views.days[0].count, views.days[0].height, views.days[0].top) == (200, 100, 0)
    assert (views.days[-1].day, views.days[-1].height) == (TODAY, 3)
    assert {day.height for day in views.days[1:-1]} == {0}
    assert [day.count for day in views.seen_days] == [1, 200]


def test_a_photo_that_nobody_saw_costs_one_question() -> None:
    photo = make_photo()

    with CaptureQueriesContext(connection) as queries:
        views = selectors.read_views(photo_id=photo.pk)

    assert (views.total, views.recent, views.seen_days) == (0, 0, [])
    assert len(queries) == 1


@time_machine.travel("2026-06-30 12:00Z", tick=False)
def test_only_the_owner_is_shown_the_views(ada: User) -> None:
    photo = make_photo(ada)
    keep(photo, ago_0=1234, ago_3=7)

    page = page_of(logged_in(ada), photo.get_absolute_url())

    assert "<strong>1241</strong> in all" in page
    assert page.count("<rect") == page.count('<th scope="row">') == 2
    assert 'x="29.1" y="0" width="0.8" height="100"' in page
    assert "<td>7</td>" in page
    for other in (None, make_user("ben"), make_user("root", is_staff=True)):
        assert "views-chart" not in page_of(logged_in(other), photo.get_absolute_url())


def test_a_chart_of_nothing_is_no_chart(ada: User) -> None:
    page = page_of(logged_in(ada), make_photo(ada).get_absolute_url())

    assert "<strong>0</strong> in all" in page
    assert "<svg class=" not in page.partition('class="views"')[2].partition("</section>")[0]


def test_only_the_pages_of_others_tell_of_a_look(client: Client, ada: User) -> None:
    photo, failed = make_photo(ada), make_photo(ada, state="failed")
    told = f'data-seen-url="{reverse("photo_seen", args=[photo.pk])}"'

    assert told in page_of(client, photo.get_absolute_url())
    assert told in page_of(logged_in(make_user("ben")), photo.get_absolute_url())
    for photo_of_ada in (photo, failed):
        page = page_of(logged_in(ada), photo_of_ada.get_absolute_url())
        assert "data-seen-url" not in page
        assert "seen.js" not in page
