"""Photos in the admin."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.messaging import Job
from apps.photos.models import DeletedPhoto, Photo
from tests.support.accounts import make_user
from tests.support.photos import make_photo

pytestmark = pytest.mark.django_db

LIST = "/admin/photos/photo/"


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def act(client: Client, action: str, *photos: Photo, **more: str):
    data = {"action": action, "_selected_action": [str(photo.pk) for photo in photos], **more}
    return client.post(LIST, data, follow=True)


def test_the_list_shows_picture_state_and_reason(client: Client) -> None:
    ready, failed = make_photo(title="Harbour"), make_photo(state="failed")

    page = client.get(LIST).content.decode()

    assert ready.renditions["96.jpg"]["file"] in page
    assert "Harbour" in page
    assert "damaged or incomplete" in page
    assert failed.original_name in page


def test_photos_are_found_by_words_and_by_owner(client: Client) -> None:
    photo = make_photo(make_user("ada"), title="Harbour")
    make_photo(title="Hill")

    for words in ("harb", "ada", str(photo.pk)):
        page = client.get(LIST, {"q": words}).content.decode()
        assert "Harbour" in page
        assert "Hill" not in page


def test_nothing_in_the_admin_needs_a_style_or_script_of_its_own(client: Client) -> None:
    photo = make_photo()

    for address in (LIST, f"{LIST}{photo.pk}/change/"):
        page = client.get(address).content.decode()
        row = page[page.index("<img") : page.index(">", page.index("<img"))]
        assert "style=" not in row


def test_staff_develop_photos_again(client: Client) -> None:
    failed, ready = make_photo(state="failed"), make_photo()

    response = act(client, "develop_again", failed, ready)

    assert "2 photos are queued." in response.content.decode()
    assert set(Photo.objects.values_list("state", flat=True)) == {"queued"}
    assert Job.objects.filter(task="photos.make_renditions").count() == 2


def test_staff_delete_photos_by_the_service_that_takes_their_files_too(client: Client) -> None:
    one, other, third = make_photo(), make_photo(), make_photo()

    act(client, "delete_selected", one, other, post="yes")
    client.post(f"{LIST}{third.pk}/delete/", {"post": "yes"})

    assert not Photo.objects.exists()
    assert DeletedPhoto.objects.count() == 3
    assert Job.objects.filter(task="photos.remove_files").count() == 3


def test_staff_change_words_and_nothing_else(client: Client) -> None:
    photo = make_photo(title="Harbor")

    client.post(
        f"{LIST}{photo.pk}/change/",
        {"title": "Harbour", "description": "", "alt": "Boats", "state": "failed"},
    )

    photo.refresh_from_db()
    assert (photo.title, photo.alt, photo.state) == ("Harbour", "Boats", "ready")


def test_nobody_adds_a_photo_without_a_file(client: Client) -> None:
    assert client.get(reverse("admin:photos_photo_add")).status_code == 403
