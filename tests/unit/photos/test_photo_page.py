"""The page of a photo, its state and its card: what they show, to whom, and what they cost."""

from __future__ import annotations

import json
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from inline_snapshot import snapshot

from apps.accounts.models import User
from tests.support.accounts import make_user
from tests.support.caching import trace
from tests.support.pages import cards_in, logged_in, page_of, steps, the_one
from tests.support.photos import make_photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return make_user("ada", display_name="Ada Lovelace", bio="By the sea.")


# --- Photo ----------------------------------------------------------------------------------------
def test_a_photo_page_shows_the_picture_sharp_at_every_screen(client: Client, ada: User) -> None:
    photo = make_photo(
        ada,
        title="Harbour",
        description="At dawn.\nBy the sea.",
        alt="Boats",
        placeholder="data:image/webp;base64,AAAA",
        camera={"make": "Leica Camera AG", "model": "LEICA Q2", "f_number": 2.8, "iso": 400},
    )

    page = page_of(client, photo.get_absolute_url())

    assert "<title>Harbour" in page
    assert "<h1>Harbour</h1>" in page
    assert page.count("640w") == page.count("1280w") == page.count("2048w") == 2
    assert "96w" not in page
    assert 'width="3000" height="2000"' in page
    assert 'src="data:image/webp;base64,AAAA"' in page
    assert "At dawn.\nBy the sea." in page
    assert "LEICA Q2" in page
    assert "ƒ/2.8" in page
    assert "ISO 400" in page


def test_other_sites_are_told_what_the_page_shows(client: Client) -> None:
    photo = make_photo(title='"Quoted" & <b>', description="At dawn.", alt="Boats")

    page = page_of(client, photo.get_absolute_url())

    assert 'property="og:title" content="&quot;Quoted&quot; &amp; &lt;b&gt;"' in page
    assert 'property="og:image" content="http://testserver/media/renditions/' in page
    assert 'property="og:image:width" content="1280"' in page
    assert f'rel="canonical" href="http://testserver{photo.get_absolute_url()}"' in page


def test_the_photos_beside_it_are_those_of_its_owner(client: Client, ada: User) -> None:
    older, photo, newer = make_photo(ada), make_photo(ada), make_photo(ada)
    make_photo(published_at=photo.published_at)

    page = page_of(client, photo.get_absolute_url())

    assert f'rel="prev" href="{newer.get_absolute_url()}"' in page
    assert f'rel="next" href="{older.get_absolute_url()}"' in page
    assert 'rel="prev"' not in page_of(client, newer.get_absolute_url())
    assert 'rel="next"' not in page_of(client, older.get_absolute_url())


@pytest.mark.django_db(transaction=True)
def test_a_photo_page_costs_an_anonymous_visitor_no_query(client: Client, ada: User) -> None:
    photo = make_photo(ada)
    page_of(client, photo.get_absolute_url())

    with trace() as whole:
        page_of(client, photo.get_absolute_url())
    with trace() as warm:
        page_of(client, f"{photo.get_absolute_url()}?x=1")

    assert steps(whole) == snapshot(["get apps.photos.views.looking.photo +7 tags"])
    assert steps(warm) == snapshot(
        [
            "get find_details +3 tags",
            "get announcements.current find_neighbours photos.byline +7 tags",
            "get list_comments +3 tags",
        ]
    )


PAGES = ("photo", "photo_state", "photo_card", "photo_edit", "photo_delete")
STORIES = {
    "nobody of a ready photo": [200, 200, 200, 302, 302],
    "stranger of a ready photo": [200, 200, 200, 403, 403],
    "owner of a ready photo": [200, 200, 200, 200, 200],
    "staff of a ready photo": [200, 200, 200, 200, 200],
    "nobody of a developing photo": [404, 404, 404, 302, 302],
    "stranger of a developing photo": [404, 404, 404, 404, 404],
    "owner of a developing photo": [200, 200, 200, 200, 200],
    "nobody of a failed photo": [404, 404, 404, 302, 302],
    "stranger of a failed photo": [404, 404, 404, 404, 404],
    "owner of a failed photo": [200, 200, 200, 200, 200],
    "staff of a failed photo": [200, 200, 200, 200, 200],
}


@pytest.mark.parametrize("story", STORIES)
def test_who_may_look_at_what_of_whose_photo(story: str, ada: User) -> None:
    who, _, _, state, _ = story.split()
    photo = make_photo(ada, state=state)
    client = logged_in(the_one(who, ada))

    answers = [client.get(reverse(name, args=[photo.pk])).status_code for name in PAGES]

    assert answers == STORIES[story]


def test_a_photo_that_never_was_is_not_found(client: Client) -> None:
    for name in ("photo", "photo_state", "photo_card"):
        assert client.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


def test_only_who_may_edit_is_shown_the_tools(ada: User) -> None:
    photo = make_photo(ada)
    edit = reverse("photo_edit", args=[photo.pk])

    assert edit in page_of(logged_in(ada), photo.get_absolute_url())
    assert edit not in page_of(logged_in(make_user("cyd")), photo.get_absolute_url())
    assert edit not in page_of(Client(), photo.get_absolute_url())


def test_a_developing_photo_says_so_and_can_be_looked_at_again_without_a_script(ada: User) -> None:
    photo = make_photo(ada, state="developing")

    page = page_of(logged_in(ada), photo.get_absolute_url())

    assert "Developing" in page
    assert f'data-fragment-url="{photo.get_absolute_url()}"' in page
    assert "<noscript>" in page
    assert 'name="robots" content="noindex"' in page


def test_first_light_is_shown_while_the_rest_develops(ada: User) -> None:
    photo = make_photo(ada, state="developing", width=30, height=20)
    ready = make_photo(ada)
    photo.renditions = {"640.jpg": ready.renditions["640.jpg"]}
    photo.save()

    page = page_of(logged_in(ada), photo.get_absolute_url())

    assert ready.renditions["640.jpg"]["file"] in page
    assert 'data-seen="developing:1"' in page


def test_a_failed_photo_says_why_and_offers_another_try(ada: User) -> None:
    photo = make_photo(ada, state="failed", reason="too_many_pixels")

    page = page_of(logged_in(ada), photo.get_absolute_url())

    assert "more pixels than this site accepts" in page
    assert reverse("photo_develop", args=[photo.pk]) in page


# --- State ----------------------------------------------------------------------------------------
def test_the_state_of_a_developing_photo_asks_to_be_asked_again(ada: User) -> None:
    photo = make_photo(ada, state="developing")

    response = logged_in(ada).get(reverse("photo_state", args=[photo.pk]))

    assert response.json() == {
        "state": "developing",
        "reason": "",
        "is_changing": False,
        "renditions": {},
    }
    assert response["Retry-After"] == "1"
    assert response["Cache-Control"] == "no-store"


def test_the_state_of_a_ready_photo_names_the_address_of_each_size(client: Client) -> None:
    photo = make_photo()

    response = client.get(reverse("photo_state", args=[photo.pk]))

    state = response.json()
    assert state["state"] == "ready"
    assert state["renditions"]["640.webp"] == (
        f"/media/renditions/{photo.renditions['640.webp']['file']}"
    )
    assert set(state["renditions"]) == set(photo.renditions)
    assert "Retry-After" not in response


def test_a_state_that_did_not_change_is_not_sent_twice(client: Client) -> None:
    photo = make_photo()
    address = reverse("photo_state", args=[photo.pk])
    first = client.get(address)

    second = client.get(address, headers={"If-None-Match": first["ETag"]})

    assert second.status_code == 304
    assert second.content == b""
    photo.renditions = {"640.jpg": photo.renditions["640.jpg"]}
    photo.save()
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_state_of_a_failed_photo_has_the_reason_in_words(ada: User) -> None:
    photo = make_photo(ada, state="failed", reason="damaged")

    state = json.loads(page_of(logged_in(ada), reverse("photo_state", args=[photo.pk])))

    assert state["state"] == "failed"
    assert state["reason"].startswith("The file is damaged or incomplete.")


# --- Card -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["ready", "developing", "failed"])
def test_a_card_is_fetched_by_itself(state: str, ada: User) -> None:
    photo = make_photo(ada, state=state)

    page = page_of(logged_in(ada), reverse("photo_card", args=[photo.pk]))

    assert page.strip().startswith("<li")
    assert cards_in(page) == [str(photo.pk)]
    assert ("data-developing" in page) is (state == "developing")


def test_addresses_are_random_and_tell_no_count() -> None:
    one, other = make_photo(), make_photo()

    assert one.pk.version == other.pk.version == 4
    assert parse_qs(urlsplit(one.get_absolute_url()).query) == {}
