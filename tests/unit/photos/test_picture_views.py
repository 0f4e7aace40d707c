"""The picture's editor over HTTP. With real workers: tests/integration/photos/test_previews.py."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps import messaging
from apps.accounts.models import User
from apps.messaging import Job
from apps.messaging.naming import new_id
from apps.messaging.replies import mailbox as mailboxes
from apps.messaging.replies.crowd import Crowd
from apps.photos import tasks
from apps.photos.models import Photo
from apps.photos.views import picturing
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


@pytest.fixture
def nobody_answers(monkeypatch: pytest.MonkeyPatch):
    """The question goes to a queue that no worker takes."""
    monkeypatch.setattr(tasks.preview, "queue", f"nobody-{new_id()}")
    monkeypatch.setattr(tasks.preview, "timeout", 0.3)
    monkeypatch.setattr(tasks.preview, "crowd", Crowd(most=1))
    yield
    mailboxes.close()


def editor(photo: Photo) -> str:
    return reverse("photo_edit", args=[photo.pk])


def picture(photo: Photo) -> str:
    return reverse("photo_edit_picture", args=[photo.pk])


def preview(photo: Photo) -> str:
    return reverse("photo_edit_preview", args=[photo.pk])


# --- The page -------------------------------------------------------------------------------------
def test_the_page_has_the_controls_as_the_picture_is(client: Client, ada: User) -> None:
    photo = make_photo(ada, edits={"turns": 1, "warmth": -20}, edits_version=2)

    page = client.get(editor(photo)).content.decode()

    assert '<option value="1" selected>a quarter to the right</option>' in page
    assert 'name="warmth" value="-20"' in page
    assert '<input type="hidden" name="version" value="2"' in page
    assert f'data-preview-url="{preview(photo)}"' in page
    assert "Revert to the original" in page


@pytest.mark.parametrize("state", ["queued", "developing", "failed"])
def test_a_photo_without_a_picture_has_words_to_edit_only(
    state: str, client: Client, ada: User
) -> None:
    photo = make_photo(ada, state=state)

    page = client.get(editor(photo)).content.decode()

    assert "data-editor" not in page
    assert 'name="title"' in page
    assert client.post(picture(photo), {"version": 0}).status_code == 404
    assert client.get(preview(photo)).status_code == 404


def test_why_the_last_edit_failed_is_said_where_the_owner_looks(client: Client, ada: User) -> None:
    photo = make_photo(ada, edits_reason="too_slow")

    words = "The picture took too long to open."
    assert words in client.get(editor(photo)).content.decode()
    assert words in client.get(photo.get_absolute_url()).content.decode()
    assert words not in Client().get(photo.get_absolute_url()).content.decode()


def test_a_page_that_was_reloaded_leads_back_to_the_editor(client: Client, ada: User) -> None:
    photo = make_photo(ada)

    assert client.get(picture(photo))["Location"] == editor(photo)


# --- Saving ---------------------------------------------------------------------------------------
def test_what_is_saved_develops_while_the_page_shows_the_old_picture(
    client: Client, ada: User
) -> None:
    photo = make_photo(ada)

    response = client.post(picture(photo), {"turns": 1, "contrast": 10, "version": 0})

    assert response["Location"] == photo.get_absolute_url()
    photo.refresh_from_db()
    assert photo.wanted_edits == {"turns": 1, "contrast": 10}
    for visitor in (client, Client()):
        page = visitor.get(photo.get_absolute_url()).content.decode()
        assert photo.renditions["1280.webp"]["file"] in page
        assert 'data-seen="ready:10:changing"' in page
    assert client.get(reverse("photo_state", args=[photo.pk])).json()["is_changing"]


def test_a_page_of_a_picture_that_stays_asks_for_nothing(ada: User) -> None:
    page = Client().get(make_photo(ada).get_absolute_url()).content.decode()

    assert "data-changing" not in page
    assert "data-picture=" in page


def test_reverting_forgets_the_controls(client: Client, ada: User) -> None:
    photo = make_photo(ada, edits={"turns": 1}, edits_version=1)

    client.post(picture(photo), {"turns": 3, "warmth": 50, "revert": "1", "version": 1})

    photo.refresh_from_db()
    assert photo.wanted_edits == {}


def test_what_was_edited_elsewhere_is_shown_before_it_is_replaced(
    client: Client, ada: User
) -> None:
    photo = make_photo(ada, edits={"turns": 2}, edits_version=5)

    response = client.post(picture(photo), {"turns": 1, "version": 4})

    page = response.content.decode()
    assert response.status_code == 409
    assert "edited elsewhere" in page
    assert '<option value="1" selected>' in page
    assert not Job.objects.exists()
    # They have seen it now.
    assert 'name="version" value="5"' in page
    client.post(picture(photo), {"turns": 1, "version": 5})
    photo.refresh_from_db()
    assert photo.wanted_edits == {"turns": 1}


def test_what_makes_no_picture_is_shown_again_with_the_reason(client: Client, ada: User) -> None:
    photo = make_photo(ada)

    response = client.post(picture(photo), {"brightness": 1000, "version": 0})

    assert response.status_code == 422
    assert "less than or equal to 100" in response.content.decode()
    assert not Job.objects.exists()


# --- The preview ----------------------------------------------------------------------------------
def test_a_preview_of_nonsense_says_what_is_wrong(client: Client, ada: User) -> None:
    response = client.get(preview(make_photo(ada)), {"brightness": 1000})

    assert response.status_code == 422
    assert "less than or equal to 100" in response.json()["error"]


@pytest.mark.usefixtures("nobody_answers")
def test_a_preview_that_nobody_makes_is_not_waited_for(client: Client, ada: User) -> None:
    response = client.get(preview(make_photo(ada)), {"turns": 1})

    assert response.status_code == 504
    assert response.json() == {"error": "The darkroom took too long. Try again in a moment."}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.usefixtures("nobody_answers")
def test_a_busy_darkroom_says_so_at_once(client: Client, ada: User) -> None:
    with tasks.preview.crowd.place():
        response = client.get(preview(make_photo(ada)))

    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response.json() == {"error": "The darkroom is busy. Try again in a moment."}


@pytest.mark.usefixtures("nobody_answers")
def test_without_a_script_the_page_says_the_same(client: Client, ada: User) -> None:
    photo = make_photo(ada)

    response = client.post(picture(photo), {"turns": 1, "preview": "1", "version": 0})

    page = response.content.decode()
    assert response.status_code == 504
    assert "The darkroom took too long." in page
    assert '<option value="1" selected>' in page
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (messaging.Failed("too_slow"), 422, "The picture took too long to open."),
        (messaging.Failed("original_missing"), 422, "The file you sent is lost."),
        (messaging.Failed("It went wrong."), 422, "The preview could not be made."),
        (messaging.Superseded("asked anew"), 409, "A newer preview was asked for."),
        (messaging.Unavailable("refused"), 503, "The darkroom cannot be reached."),
    ],
)
def test_why_there_is_no_preview_is_said_in_the_words_of_people(
    error: messaging.NotAnswered, status: int, words: str
) -> None:
    assert picturing._status_of(error) == status
    assert picturing._explain(error).startswith(words)


# --- Who may --------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", [picture, preview])
@pytest.mark.parametrize(("state", "status"), [("ready", 403), ("failed", 404)])
def test_a_stranger_neither_edits_nor_tries(
    address, state: str, status: int, client: Client
) -> None:
    photo = make_photo(state=state)

    assert client.get(address(photo)).status_code == status
    assert client.post(picture(photo), {"turns": 1, "version": 0}).status_code == status
    photo.refresh_from_db()
    assert photo.wanted_edits is None


@pytest.mark.parametrize("address", [picture, preview])
def test_who_is_not_logged_in_is_asked_to(address) -> None:
    photo = make_photo()

    assert Client().get(address(photo)).status_code == 302


def test_another_site_cannot_save_edits(ada: User) -> None:
    photo = make_photo(ada)
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    assert client.post(picture(photo), {"turns": 1, "version": 0}).status_code == 403


def test_staff_may_edit_too(client: Client) -> None:
    photo = make_photo()
    client.force_login(make_user("root", is_staff=True))

    client.post(picture(photo), {"turns": 1, "version": 0})

    photo.refresh_from_db()
    assert photo.wanted_edits == {"turns": 1}
