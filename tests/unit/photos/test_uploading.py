"""The way in: over HTTP, with and without a script."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import User
from apps.messaging import Job
from apps.photos.models import Photo
from tests.support.accounts import make_user
from tests.support.photos import files_of, make_original, make_photo
from tests.support.pictures import make_picture

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]

UPLOAD = "/photos/upload/"
JSON = {"Accept": "application/json"}


@pytest.fixture
def client(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def send(client: Client, *files: SimpleUploadedFile, accept: str = "application/json", **data: str):
    return client.post(UPLOAD, {"originals": list(files), **data}, headers={"Accept": accept})


# --- The page -------------------------------------------------------------------------------------
def test_the_page_has_a_plain_form_and_says_what_is_taken(client: Client) -> None:
    page = client.get(UPLOAD).content.decode()

    assert 'enctype="multipart/form-data"' in page
    assert 'name="originals"' in page
    assert "multiple" in page
    assert "JPEG, PNG, WebP, GIF, TIFF, HEIC or AVIF, up to 50.0\xa0MB each" in page
    assert 'name="csrfmiddlewaretoken"' in page


def test_without_a_script_an_upload_leads_to_ones_own_page(client: Client, ada: User) -> None:
    response = send(client, make_original("one.jpg"), make_original("two.jpg"), accept="text/html")

    assert response.status_code == 302
    assert response["Location"] == ada.get_absolute_url()
    page = client.get(ada.get_absolute_url()).content.decode()
    assert "2 photos are developing." in page
    assert page.count("data-developing") == 2


def test_without_a_script_a_refused_file_is_named_with_its_reason(client: Client) -> None:
    response = send(
        client,
        make_original("one.jpg"),
        make_original("<b>.txt", content=b"words"),
        accept="text/html",
    )

    page = response.content.decode()
    assert response.status_code == 202
    assert "one.jpg" in page
    assert "&lt;b&gt;.txt" in page
    assert "no picture" in page


def test_without_a_script_no_file_at_all_is_said(client: Client) -> None:
    response = client.post(UPLOAD, {"title": "Harbour"})

    assert response.status_code == 422
    assert "Choose at least one photo." in response.content.decode()


# --- JSON -----------------------------------------------------------------------------------------
def test_a_script_is_told_where_each_photo_and_its_state_are(client: Client) -> None:
    response = send(client, make_original("one.jpg"), title="Trip", description="By the sea")

    photo = Photo.objects.get()
    assert response.status_code == 202
    assert response.json() == {
        "photos": [
            {
                "id": str(photo.pk),
                "url": f"/photos/{photo.pk}/",
                "state_url": f"/photos/{photo.pk}/state/",
                "name": "one.jpg",
            }
        ],
        "refused": [],
    }
    assert (photo.title, photo.description) == ("Trip", "By the sea")


def test_a_script_is_told_what_was_refused_and_why(client: Client) -> None:
    response = send(client, make_original("one.jpg"), make_original("notes.txt", content=b"words"))

    answer = response.json()
    assert response.status_code == 202
    assert [photo["name"] for photo in answer["photos"]] == ["one.jpg"]
    assert answer["refused"] == [
        {"name": "notes.txt", "reason": "This is no picture of a kind that is taken: "
         "JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF."}
    ]  # fmt: skip


def test_if_nothing_was_taken_the_answer_says_so_in_the_same_shape(client: Client) -> None:
    response = send(client, make_original("empty.jpg", content=b""))

    assert response.status_code == 422
    assert response.json() == {
        "photos": [],
        "refused": [{"name": "empty.jpg", "reason": "This file is empty."}],
    }


def test_a_repeated_picture_is_refused_with_the_address_of_the_first(client: Client) -> None:
    content = make_picture()
    send(client, make_original("one.jpg", content=content), title="Harbour")

    response = send(client, make_original("two.jpg", content=content))

    photo = Photo.objects.get()
    (refusal,) = response.json()["refused"]
    assert response.status_code == 422
    assert (refusal["name"], refusal["url"]) == ("two.jpg", photo.get_absolute_url())
    assert "“Harbour”" in refusal["reason"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "Choose at least one photo."),
        ({"originals": make_original(), "title": "x" * 121}, "at most 120 characters"),
    ],
    ids=["no file", "long title"],
)
def test_a_form_that_does_not_fit_is_refused_as_a_whole(
    client: Client, data: dict[str, Any], reason: str
) -> None:
    response = client.post(UPLOAD, data, headers=JSON)

    (refusal,) = response.json()["refused"]
    assert response.status_code == 422
    assert refusal["name"] == ""
    assert reason in refusal["reason"]
    assert not Photo.objects.exists()


def test_a_hundred_photos_come_in_at_once(client: Client) -> None:
    content = make_picture(size=(32, 24))
    files = [make_original(f"{n}.jpg", content=content + b"%d" % n) for n in range(100)]

    response = send(client, *files)

    assert len(response.json()["photos"]) == Photo.objects.count() == Job.objects.count() == 100


# --- Limits ---------------------------------------------------------------------------------------
def test_a_file_too_large_is_dropped_on_the_way_and_refused_by_name(
    client: Client, settings: Settings, media: Path
) -> None:
    settings.PHOTO_MAX_BYTES = 100_000
    large = make_original("large.jpg", content=make_picture() + b"0" * 300_000)

    response = send(client, large, make_original("small.jpg"))

    answer = response.json()
    assert [photo["name"] for photo in answer["photos"]] == ["small.jpg"]
    assert answer["refused"] == [
        {"name": "large.jpg", "reason": "This file is too large: at most 97.7\xa0KB are taken."}
    ]
    gc.collect()
    assert len(files_of(media / "originals")) == 1


def test_the_files_too_many_are_refused_by_name(client: Client, settings: Settings) -> None:
    settings.PHOTOS_PER_UPLOAD = 2
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 4

    response = send(client, *[make_original(f"{number}.jpg") for number in range(4)])

    answer = response.json()
    assert [photo["name"] for photo in answer["photos"]] == ["0.jpg", "1.jpg"]
    assert [refusal["name"] for refusal in answer["refused"]] == ["2.jpg", "3.jpg"]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_far_too_many_files_get_a_clear_answer_too(
    client: Client, settings: Settings, accept: str
) -> None:
    settings.PHOTOS_PER_UPLOAD = 1
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2

    response = send(client, *[make_original() for _ in range(3)], accept=accept)

    assert response.status_code == 422
    assert "At most 1 photo is taken at a time" in response.content.decode()
    assert not Photo.objects.exists()


def test_a_name_longer_than_the_system_allows_is_kept_short(client: Client) -> None:
    response = send(client, make_original("a." + "x" * 400))

    assert response.status_code == 202
    assert len(Photo.objects.get().original_name) <= 255


def test_files_in_other_fields_are_not_looked_at(client: Client, media: Path) -> None:
    data = {"originals": make_original("one.jpg"), "other": make_original("two.jpg")}

    response = client.post(UPLOAD, data, headers=JSON)

    assert [photo["name"] for photo in response.json()["photos"]] == ["one.jpg"]
    assert len(files_of(media / "originals")) == 1


def test_nothing_of_a_refused_upload_stays_on_disk(client: Client, media: Path) -> None:
    send(client, make_original("notes.txt", content=b"words" * 1000))

    gc.collect()
    assert files_of(media) == []


def test_the_web_process_opens_no_picture(client: Client) -> None:
    import subprocess
    import sys

    code = (
        "import django, sys; django.setup(); import project.urls, project.wsgi;"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " {'PIL', 'pyvips', 'pillow_heif'}])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


# --- Who ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_logged_in_is_sent_to_log_in(method: str) -> None:
    client = Client()

    page = getattr(client, method)(UPLOAD)
    script = getattr(client, method)(UPLOAD, headers=JSON)

    assert page.status_code == 302
    assert page["Location"] == f"{reverse('account_login')}?next={UPLOAD}"
    assert (script.status_code, script.json()) == (401, {"error": "Log in first."})


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_has_not_confirmed_is_told_so_before_anything_is_read(method: str) -> None:
    client = Client()
    client.force_login(make_user("dan", confirmed=False))

    page = getattr(client, method)(UPLOAD)
    script = getattr(client, method)(UPLOAD, headers=JSON)

    assert page.status_code == script.status_code == 403
    assert "Confirm your address first" in page.content.decode()
    assert "Confirm your address first" in script.json()["error"]


def test_an_upload_from_another_site_is_refused(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    response = send(client, make_original())

    assert response.status_code == 403
    assert not Photo.objects.exists()


@pytest.mark.parametrize("way", ["field", "header"])
def test_the_token_of_the_page_lets_an_upload_in(ada: User, way: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    client.get(UPLOAD)
    token = client.cookies["csrftoken"].value
    data: dict[str, Any] = {"originals": make_original()}
    if way == "field":
        data["csrfmiddlewaretoken"] = token
    headers = {**JSON, **({"X-CSRFToken": token} if way == "header" else {})}

    response = client.post(UPLOAD, data, headers=headers)

    assert response.status_code == 202


def test_no_other_method_is_answered(client: Client) -> None:
    assert client.put(UPLOAD).status_code == 405


def test_what_one_uploads_is_ones_own(client: Client, ada: User) -> None:
    make_photo()

    send(client, make_original())

    assert Photo.objects.filter(owner=ada).count() == 1
