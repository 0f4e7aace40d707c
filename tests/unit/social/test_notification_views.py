"""The page of notifications, its forms, and the bell beside the menu."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from apps.accounts.models import User
from apps.live import channels
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import selectors, services
from tests.support.accounts import make_user
from tests.support.caching import trace
from tests.support.messaging import run_jobs
from tests.support.pages import logged_in, page_of
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
PAGE = "/notifications/"


@pytest.fixture
def photo(ada: User) -> Photo:
    return make_photo(ada, title="Harbour <1>")


def test_a_stranger_is_asked_to_log_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")
    assert client.post(f"{PAGE}seen/").headers["Location"].startswith("/accounts/login/")
    assert client.post(f"{PAGE}choose/").headers["Location"].startswith("/accounts/login/")


def test_at_first_it_says_that_there_is_nothing(ada: User) -> None:
    page = page_of(logged_in(ada), PAGE)

    assert "Nothing yet" in page
    assert "Mark all as read" not in page


def test_it_names_who_did_what(photo: Photo, ada: User) -> None:
    make_like(photo)
    make_like(photo, person=make_user("zoe", display_name="Zoë <3"))
    make_comment(photo, author=make_user("kim"))
    make_follow(follower=make_user("lou"), followed=ada)

    page = page_of(logged_in(ada), PAGE)

    assert "Zoë &lt;3 and 1 other liked “Harbour &lt;1&gt;”" in page
    assert "kim commented on “Harbour &lt;1&gt;”" in page
    assert f"{photo.get_absolute_url()}#comment-" in page
    assert "lou follows you" in page
    assert page.count("is-new") == 3


def test_it_names_who_commented_after_one_did(photo: Photo, ben: User) -> None:
    make_comment(photo, author=ben)
    make_comment(photo, author=make_user("kim"))
    zoe = make_comment(photo, author=make_user("zoe", display_name="Zoë <3"))
    run_jobs(queue="default")

    page = page_of(logged_in(ben), PAGE)

    assert "Zoë &lt;3 and 1 other also commented on “Harbour &lt;1&gt;”" in page
    assert zoe.get_absolute_url() in page
    assert page.count("is-new") == 1


def test_all_is_marked_as_read_by_a_form(photo: Photo, ada: User, ben: User) -> None:
    make_like(photo, person=ben)
    client = logged_in(ada)
    assert "data-bell-count>1<" in page_of(client, "/")
    up_to = page_of(client, PAGE).partition('name="up_to" value="')[2].partition('"')[0]

    response = client.post(f"{PAGE}seen/", {"up_to": up_to})

    assert response.headers["Location"] == PAGE
    assert "is-new" not in page_of(client, PAGE)
    assert "data-bell-count hidden>0<" in page_of(client, "/")


@pytest.mark.parametrize("up_to", ["", "x", "-1", "9" * 30])
def test_a_form_that_nobody_was_shown_changes_nothing(
    photo: Photo, ada: User, ben: User, up_to: str
) -> None:
    make_like(photo, person=ben)

    logged_in(ada).post(f"{PAGE}seen/", {"up_to": up_to})

    assert selectors.count_unseen(person_id=ada.pk) == 1


@pytest.mark.parametrize("before", ["x", "-1", "1.5"])
def test_a_place_that_nobody_wrote_is_not_found(ada: User, before: str) -> None:
    page_of(logged_in(ada), f"{PAGE}?before={before}", status=404)


def test_earlier_ones_are_a_link_away(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "NOTIFICATIONS_PAGE", 1)
    for title in ("First", "Second"):
        make_like(make_photo(ada, title=title), person=ben)
    client = logged_in(ada)

    page = page_of(client, PAGE)

    assert "Second" in page
    assert "First" not in page
    place = page.partition("?before=")[2].partition('"')[0]
    assert "First" in page_of(client, f"{PAGE}?before={place}")


def test_likes_are_muted_by_a_form(ada: User) -> None:
    client = logged_in(ada)
    assert 'name="likes" id="id_likes" checked' in page_of(client, PAGE)

    client.post(f"{PAGE}choose/", {})

    assert not selectors.wants_likes(person_id=ada.pk)
    assert 'name="likes" id="id_likes" checked' not in page_of(client, PAGE)
    client.post(f"{PAGE}choose/", {"likes": "on"})
    assert selectors.wants_likes(person_id=ada.pk)
    assert not selectors.find_choice(person_id=ada.pk).conversations
    client.post(f"{PAGE}choose/", {"conversations": "on"})
    assert selectors.find_choice(person_id=ada.pk).conversations
    assert 'name="conversations" id="id_conversations" checked' in page_of(client, PAGE)


def test_a_kept_page_has_no_bell_and_each_person_has_their_own(
    client: Client, photo: Photo, ada: User, ben: User
) -> None:
    make_like(photo, person=ben)
    for address in ("/", "/people/ada/", photo.get_absolute_url()):
        assert f'data-live-topic="user:{ada.pk}"' in page_of(logged_in(ada), address)
        assert "data-bell" not in page_of(client, address)
        mine = page_of(logged_in(ben), address)
        assert f'data-live-topic="user:{ben.pk}"' in mine
        assert "data-bell-count hidden>0<" in mine


def test_the_bell_costs_home_no_round_trip_of_its_own(photo: Photo, ada: User) -> None:
    client = logged_in(ada)
    page_of(client, "/")

    with trace() as seen:
        page_of(client, "/")

    assert (
        sum("social.bell" in line and "announcements.current" in line for line in seen.lines) == 1
    )
    assert sum("social.bell" in line for line in seen.lines) == 1


class TestLive:
    def test_only_oneself_may_listen_to_the_bell(self, ada: User, ben: User) -> None:
        topic = f"user:{ada.pk}"
        root = make_user("root", is_staff=True, is_superuser=True)

        assert channels.may_listen(viewer=ada, topic=topic)
        assert not channels.may_listen(viewer=ben, topic=topic)
        assert not channels.may_listen(viewer=root, topic=topic)
        assert not channels.may_listen(viewer=AnonymousUser(), topic=topic)
        assert not channels.may_listen(viewer=AnonymousUser(), topic="user:None")

    def test_the_bell_says_how_many_are_new(self, photo: Photo, ada: User) -> None:
        make_like(photo)

        state = channels.read_state(topic=f"user:{ada.pk}")

        assert state == {"unseen": 1, "words": "1 new notification"}

    def test_a_photo_says_who_likes_it_and_what_was_said(self, photo: Photo) -> None:
        make_like(photo)
        ids = [make_comment(photo, text=text).pk for text in ("One.", "Two.")]

        state = channels.read_state(topic=f"photo:{photo.pk}")

        assert state is not None
        assert state["state"] == "ready"
        assert (state["likes"], state["likes_words"]) == (1, "1 like")
        assert state["comments"] == ids[::-1]

    def test_a_deleted_photo_has_no_talk(self, photo: Photo) -> None:
        topic = f"photo:{photo.pk}"
        photos.delete_photo(photo=photo)

        assert channels.read_state(topic=topic) is None


class TestTheListAlone:
    """What open pages fetch when they hear of a comment."""

    def address(self, photo: Photo) -> str:
        return f"{photo.get_absolute_url()}comments/list/"

    @pytest.mark.usefixtures("nothing_is_stale")
    def test_it_is_kept_for_those_without_a_name_and_true(
        self, client: Client, photo: Photo
    ) -> None:
        page_of(client, self.address(photo))
        comment = make_comment(photo, text="Lovely <light>.")

        page = page_of(client, self.address(photo))

        assert f'id="comment-{comment.pk}"' in page
        assert "Lovely &lt;light&gt;." in page
        assert "<html" not in page
        with trace() as seen:
            page_of(client, self.address(photo))
        assert (len(seen.trips), seen.queries) == (1, [])
        services.delete_comment(comment=comment)
        assert "Lovely" not in page_of(client, self.address(photo))

    def test_who_may_delete_gets_the_way_to_it(self, photo: Photo, ada: User, ben: User) -> None:
        make_comment(photo, author=ben)

        assert "data-delete" in page_of(logged_in(ada), self.address(photo))
        assert "data-delete" not in page_of(logged_in(make_user("cyd")), self.address(photo))

    def test_of_a_photo_that_is_not_published_there_is_none(self, ada: User) -> None:
        hidden = make_photo(ada, state="developing")

        page_of(logged_in(ada), self.address(hidden), status=404)
