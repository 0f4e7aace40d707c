"""What the owner of a photo, and staff, do with it over HTTP."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.messaging import Job
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.photos import make_photo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture
def client(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def address(name: str, photo: Photo) -> str:
    return reverse(name, args=[photo.pk])


def test_the_form_has_what_is_said_so_far(client: Client, ada: User) -> None:
    photo = make_photo(ada, title="Harbour", description="At dawn.", alt="Boats")

    page = client.get(address("photo_edit", photo)).content.decode()

    assert 'value="Harbour"' in page
    assert "At dawn." in page
    assert "Boats" in page


def test_what_is_edited_is_shown(client: Client, ada: User) -> None:
    photo = make_photo(ada)

    response = client.post(
        address("photo_edit", photo), {"title": "Hill", "description": "Noon.", "alt": "Sheep"}
    )

    assert response["Location"] == photo.get_absolute_url()
    page = client.get(photo.get_absolute_url()).content.decode()
    assert "<h1>Hill</h1>" in page
    assert "Noon." in page
    assert 'alt="Sheep"' in page
    assert "Saved." in page


def test_an_edit_that_does_not_fit_is_shown_again_with_the_reason(
    client: Client, ada: User
) -> None:
    photo = make_photo(ada, title="Harbour")

    response = client.post(address("photo_edit", photo), {"title": "x" * 121})

    assert response.status_code == 200
    assert "at most 120 characters" in response.content.decode()
    photo.refresh_from_db()
    assert photo.title == "Harbour"


def test_deleting_asks_first_and_then_does_it(client: Client, ada: User) -> None:
    photo = make_photo(ada, title="Harbour")

    page = client.get(address("photo_delete", photo)).content.decode()
    assert "“Harbour” disappears at once" in page
    assert Photo.objects.exists()

    response = client.post(address("photo_delete", photo))
    assert response["Location"] == ada.get_absolute_url()
    assert not Photo.objects.exists()
    assert client.get(photo.get_absolute_url()).status_code == 404
    assert "The photo is deleted." in client.get(ada.get_absolute_url()).content.decode()


def test_a_failed_photo_is_developed_again_on_request(client: Client, ada: User) -> None:
    photo = make_photo(ada, state="failed")

    response = client.post(address("photo_develop", photo))

    photo.refresh_from_db()
    assert response["Location"] == photo.get_absolute_url()
    assert photo.state == "queued"
    assert Job.objects.get().arguments == {"photo_id": str(photo.pk)}


@pytest.mark.parametrize("state", ["queued", "developing", "ready"])
def test_a_photo_that_did_not_fail_is_not_developed_again(
    state: str, client: Client, ada: User
) -> None:
    photo = make_photo(ada, state=state)

    client.post(address("photo_develop", photo))

    photo.refresh_from_db()
    assert photo.state == state
    assert not Job.objects.exists()


def test_staff_take_a_photo_away(client: Client) -> None:
    photo = make_photo()
    client.force_login(make_user("root", is_staff=True))

    client.post(address("photo_delete", photo))

    assert not Photo.objects.exists()


@pytest.mark.parametrize("name", ["photo_edit", "photo_delete", "photo_develop"])
@pytest.mark.parametrize(("state", "status"), [("ready", 403), ("failed", 404)])
def test_a_stranger_changes_nothing(name: str, state: str, status: int, client: Client) -> None:
    photo = make_photo(state=state)

    response = client.post(address(name, photo), {"title": "Mine"})

    assert response.status_code == status
    assert Photo.objects.get().title == ""
    assert Photo.objects.get().state == state


@pytest.mark.parametrize("name", ["photo_edit", "photo_delete", "photo_develop"])
def test_who_is_not_logged_in_changes_nothing(name: str) -> None:
    photo = make_photo(state="failed")

    response = Client().post(address(name, photo))

    assert response.status_code == 302
    assert Photo.objects.get().state == "failed"


@pytest.mark.parametrize("name", ["photo_edit", "photo_delete", "photo_develop"])
def test_another_site_cannot_press_the_buttons(name: str, ada: User) -> None:
    photo = make_photo(ada, state="failed")
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    assert client.post(address(name, photo)).status_code == 403
    assert Photo.objects.get().state == "failed"


def test_developing_again_is_not_a_link(client: Client, ada: User) -> None:
    assert client.get(address("photo_develop", make_photo(ada))).status_code == 405
