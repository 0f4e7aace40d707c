"""Renditions over HTTP: for ever in the browser's cache, and nothing but pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from apps import thumbnails
from tests.support import pictures

pytestmark = pytest.mark.django_db

KEY = thumbnails.make_key(about="photo:7", sha256="0" * 64, recipe=thumbnails.Recipe())
NAME = f"{KEY}/640.webp"
URL = f"/media/renditions/{NAME}"


@pytest.fixture
def data(tmp_path: Path, settings) -> bytes:
    options = {**settings.STORAGES["renditions"]["OPTIONS"], "location": str(tmp_path / "media")}
    settings.STORAGES = {
        **settings.STORAGES,
        "renditions": {**settings.STORAGES["renditions"], "OPTIONS": options},
    }
    content = pictures.make_picture("webp", size=(64, 48))
    storages["renditions"].save(NAME, ContentFile(content))
    return content


def test_a_rendition_is_sent_to_be_kept_for_ever(client: Client, data: bytes) -> None:
    response = client.get(storages["renditions"].url(NAME))

    assert response.status_code == 200
    assert response.getvalue() == data
    assert response["Content-Type"] == "image/webp"
    assert response["Content-Length"] == str(len(data))
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response


def test_the_headers_make_it_a_picture_and_nothing_else(client: Client, data: bytes) -> None:
    response = client.get(URL)
    response.close()

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Disposition"] == "inline"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_browser_that_has_it_is_told_so(client: Client, data: bytes) -> None:
    first = client.get(URL)
    first.close()

    again = client.get(URL, headers={"if-none-match": first["ETag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]
    assert "immutable" in again["Cache-Control"]


def test_each_rendition_has_a_tag_of_its_own(client: Client, data: bytes) -> None:
    storages["renditions"].save(f"{KEY}/640.jpg", ContentFile(b"\xff\xd8\xff"))
    responses = [client.get(URL), client.get(URL.replace(".webp", ".jpg"))]

    assert len({response["ETag"] for response in responses}) == 2
    assert responses[1]["Content-Type"] == "image/jpeg"
    for response in responses:
        response.close()


def test_what_is_deleted_is_gone_even_for_one_who_has_it(client: Client, data: bytes) -> None:
    first = client.get(URL)
    first.close()
    thumbnails.unpublish(KEY)

    again = client.get(URL, headers={"if-none-match": first["ETag"]})

    assert again.status_code == 404


def test_a_head_is_answered_and_a_post_is_not(client: Client, data: bytes) -> None:
    head = client.head(URL)
    head.close()
    post = client.post(URL)

    assert (head.status_code, head["Content-Length"]) == (200, str(len(data)))
    assert post.status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        f"1/ab/{'a' * 40}/..%2f..%2f640.jpg",
        f"1/ab/{'a' * 40}/640.svg",
        f"1/ab/{'a' * 40}/640.jpg%0a",
        f"1/ab/{'a' * 40}/640.jpg/",
        f"1/ab/{'a' * 40}/.tmp123",
        f"1/ab/{'A' * 40}/640.jpg",
        f"1/ab/{'a' * 39}/640.jpg",
        f"1/a%2f/{'a' * 40}/640.jpg",
        "1/ab/",
        "",
    ],
)
def test_no_other_address_leads_anywhere(client: Client, data: bytes, path: str) -> None:
    response = client.get(f"/media/renditions/{path}")

    assert response.status_code == 404


def test_no_query_is_asked_for_a_picture(
    client: Client, data: bytes, django_assert_num_queries, db
) -> None:
    with django_assert_num_queries(0):
        client.get(URL).close()


def test_originals_are_not_served(client: Client, db) -> None:
    name = storages["default"].save("o/ab/abc.jpg", ContentFile(b"\xff\xd8\xff"))

    for path in (storages["default"].url(name), f"/media/originals/{name}"):
        assert client.get(path).status_code == 404
