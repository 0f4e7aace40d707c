"""Home, a person and a photo as whole pages: for whom, and true after everything people do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.operations.templatetags import layout
from apps.photos import services
from apps.photos.models import Photo
from apps.photos.views.looking import THEMES
from apps.social import services as social
from tests.support.accounts import make_user
from tests.support.caching import trace
from tests.support.pages import logged_in, page_of
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture
def ada() -> User:
    return make_user("ada", display_name="Ada Lovelace", bio="By the sea.")


@pytest.fixture
def photo(ada: User) -> Photo:
    return make_photo(ada, title="Harbour")


@pytest.fixture(params=["home", "person", "photo"])
def address(request: pytest.FixtureRequest, ada: User, photo: Photo) -> str:
    addresses = {"home": "/", "person": "/people/ada/", "photo": photo.get_absolute_url()}
    return addresses[request.param]


def test_a_warm_page_is_one_round_trip_and_no_query(client: Client, address: str) -> None:
    page_of(client, address)

    with trace() as seen:
        page_of(client, address)

    assert len(seen.trips) == 1
    assert seen.queries == []


def test_a_browser_that_has_the_page_is_told_so(client: Client, address: str) -> None:
    first = client.get(address)

    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    head = client.head(address, headers={"If-None-Match": '"another"'})

    assert again.status_code == 304
    assert again.content == b""
    assert again["X-Request-ID"] != first["X-Request-ID"]
    assert again["Content-Security-Policy"] == first["Content-Security-Policy"]
    assert head.status_code == 200
    assert head["ETag"] == first["ETag"]


def test_the_kept_page_has_nothing_of_a_visitor(client: Client, address: str) -> None:
    first = client.get(address)

    assert "csrfmiddlewaretoken" not in first.content.decode()
    assert not first.cookies
    assert first["X-Request-ID"] not in first.content.decode()
    assert first["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Accept-Language"} <= set(first["Vary"].split(", "))


def test_who_is_logged_in_neither_gets_the_page_nor_fills_it(
    client: Client, address: str, ada: User
) -> None:
    mine = logged_in(ada)
    assert "Log out" in page_of(mine, address)
    kept = client.get(address)
    assert "Log out" not in kept.content.decode()

    response = mine.get(address, headers={"If-None-Match": kept["ETag"]})

    assert response.status_code == 200
    assert "Log out" in response.content.decode()
    assert "ETag" not in response
    assert client.get(address).content == kept.content


def test_who_has_just_logged_out_reads_so_and_nobody_else_does(
    client: Client, address: str, ada: User
) -> None:
    page_of(client, address)
    mine = logged_in(ada)
    mine.post("/accounts/logout/")

    goodbye = page_of(mine, address)

    assert 'class="notice' in goodbye
    assert 'class="notice' not in page_of(client, address)
    assert 'class="notice' not in page_of(mine, address)


def test_each_theme_has_its_page_and_an_invented_one_is_none(address: str) -> None:
    def look(theme: str) -> str:
        client = Client()
        client.cookies["theme"] = theme
        return page_of(client, address)

    assert 'data-theme="dark"' in look("dark")
    assert 'data-theme="light"' in look("light")
    assert 'data-theme="auto"' in look("pink")
    assert 'data-theme="dark"' in look("dark")


def test_the_themes_are_those_of_the_layout() -> None:
    assert THEMES == layout.THEMES


def test_a_flood_of_addresses_fills_nothing(client: Client, address: str) -> None:
    page_of(client, address)

    with trace() as seen:
        for number in range(5):
            client.get(f"{address}?a{number}={number}")
            client.get(f"{address}?fbclid={number}")
            client.get(f"/people/{'AdA' if number % 2 else 'aDA'}/?x={number}")
            client.get(f"/people/nobody{number}/")

    assert not any("views" in line for line in seen.lines if line.startswith("put"))


ACTS: dict[str, Callable[[User, Photo, User], object]] = {
    "edit": lambda ada, photo, ben: services.edit_photo(
        photo=photo, title="Port", description="New", alt=""
    ),
    "delete": lambda ada, photo, ben: services.delete_photo(photo=photo),
    "like": lambda ada, photo, ben: make_like(photo, person=ben),
    "comment": lambda ada, photo, ben: make_comment(photo, author=ben),
    "follow": lambda ada, photo, ben: make_follow(follower=ada, followed=ben),
    "profile": lambda ada, photo, ben: accounts.change_profile(
        person=ada, display_name="Countess", bio="", language=""
    ),
    "profile of a commentator": lambda ada, photo, ben: accounts.change_profile(
        person=ben, display_name="Benjamin", bio="", language=""
    ),
    "account": lambda ada, photo, ben: accounts.delete_account(person=ben),
    "unlike": lambda ada, photo, ben: social.unlike_photo(person=ben, photo=photo),
}


@pytest.mark.parametrize("act", ACTS)
def test_no_page_is_older_than_what_people_did(
    act: str, client: Client, ada: User, photo: Photo
) -> None:
    ben = make_user("ben", display_name="Ben")
    make_photo(ada)
    if act in {"unlike", "account"}:
        make_like(photo, person=ben)
    if act in {"account", "profile of a commentator"}:
        make_comment(photo, author=ben)
        make_follow(follower=ada, followed=ben)
    for address in ("/", "/people/ada/", "/people/ben/", photo.get_absolute_url()):
        page_of(client, address)

    ACTS[act](ada, photo, ben)


def test_a_person_without_photos_has_a_page_that_hears_of_the_profile(client: Client) -> None:
    ben = make_user("ben", display_name="Ben")
    assert "Ben" in page_of(client, "/people/ben/")
    accounts.change_profile(person=ben, display_name="Benjamin", bio="", language="")

    assert "Benjamin" in page_of(client, "/people/ben/")


def test_a_deleted_photo_is_gone_at_once(client: Client, photo: Photo) -> None:
    address = photo.get_absolute_url()
    page_of(client, address)
    services.delete_photo(photo=photo)

    page_of(client, address, status=404)
    assert "Harbour" not in page_of(client, "/")
