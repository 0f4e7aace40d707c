from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social import services
from apps.social.models import Comment, Follow, Like
from tests.support.accounts import make_user
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]

JSON = {"Accept": "application/json"}


@pytest.fixture
def photo(ada: User) -> Photo:
    return make_photo(ada)


@pytest.fixture
def as_ben(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


def address(name: str, *args: object) -> str:
    return reverse(name, args=args)


def said_to(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


class TestWithoutScript:
    def test_a_like_leads_back_to_the_photo(self, as_ben: Client, ben: User, photo: Photo) -> None:
        response = as_ben.post(address("like", photo.pk))

        assert response.status_code == 302
        assert response["Location"] == photo.get_absolute_url()
        assert Like.objects.filter(person=ben, photo=photo).exists()

    def test_a_like_is_taken_back(self, as_ben: Client, ben: User, photo: Photo) -> None:
        make_like(photo, person=ben)

        as_ben.post(address("unlike", photo.pk))

        assert not Like.objects.exists()

    def test_it_leads_back_to_where_the_form_stood(self, as_ben: Client, photo: Photo) -> None:
        response = as_ben.post(address("like", photo.pk), {"next": "/?before=7"})

        assert response["Location"] == "/?before=7"

    @pytest.mark.parametrize(
        "way_out", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""]
    )
    def test_it_leads_out_of_the_site_for_nobody(
        self, as_ben: Client, photo: Photo, way_out: str
    ) -> None:
        response = as_ben.post(address("like", photo.pk), {"next": way_out})

        assert response["Location"] == photo.get_absolute_url()

    def test_a_follow_leads_back_to_the_person(self, as_ben: Client, ben: User, ada: User) -> None:
        response = as_ben.post(address("follow", "ADA"))

        assert response["Location"] == ada.get_absolute_url()
        assert Follow.objects.filter(follower=ben, followed=ada).exists()

    def test_a_follow_is_ended(self, as_ben: Client, ben: User, ada: User) -> None:
        make_follow(follower=ben, followed=ada)

        as_ben.post(address("unfollow", "ada"))

        assert not Follow.objects.exists()

    def test_a_comment_leads_to_itself(self, as_ben: Client, photo: Photo) -> None:
        response = as_ben.post(address("comments", photo.pk), {"text": "What a sky!"})

        comment = Comment.objects.get()
        assert comment.text == "What a sky!"
        assert response["Location"] == f"{photo.get_absolute_url()}#comment-{comment.pk}"

    def test_a_comment_that_is_refused_is_given_back(self, as_ben: Client, photo: Photo) -> None:
        response = as_ben.post(address("comments", photo.pk), {"text": "What\x07 a sky!"})

        assert response.status_code == 422
        page = response.content.decode()
        assert "characters in it that cannot be shown" in page
        assert "a sky!" in page
        assert not Comment.objects.exists()

    def test_a_flood_is_told(self, as_ben: Client, ben: User, photo: Photo) -> None:
        for number in range(services.COMMENTS_A_MINUTE):
            make_comment(photo, author=ben, text=f"And {number}")

        response = as_ben.post(address("comments", photo.pk), {"text": "And more"})

        assert response.status_code == 422
        assert b"Wait a minute" in response.content
        assert b"And more" in response.content

    def test_why_somebody_may_not_is_told(self, as_ben: Client, ben: User) -> None:
        response = as_ben.post(address("follow", "ben"))

        assert response.status_code == 302
        assert said_to(response) == ["You see your own photos already."]

    def test_somebody_who_is_not_confirmed_is_told(self, client: Client, photo: Photo) -> None:
        client.force_login(make_user(confirmed=False))

        response = client.post(address("like", photo.pk), {"next": photo.get_absolute_url()})

        assert response["Location"] == photo.get_absolute_url()
        assert said_to(response) == ["Confirm your address first: then you can take part."]
        assert not Like.objects.exists()


class TestWithScript:
    def test_a_like_says_how_many(self, as_ben: Client, photo: Photo) -> None:
        make_like(photo)

        response = as_ben.post(address("like", photo.pk), headers=JSON)

        assert response.json() == {"on": True, "count": 2}

    def test_the_opposite_says_how_many(self, as_ben: Client, ben: User, photo: Photo) -> None:
        make_like(photo, person=ben)

        response = as_ben.post(address("unlike", photo.pk), headers=JSON)

        assert response.json() == {"on": False, "count": 0}

    def test_a_follow_says_how_many(self, as_ben: Client, ada: User, cyd: User) -> None:
        make_follow(follower=cyd, followed=ada)

        on = as_ben.post(address("follow", "ada"), headers=JSON).json()
        off = as_ben.post(address("unfollow", "ada"), headers=JSON).json()

        assert on == {"on": True, "count": 2}
        assert off == {"on": False, "count": 1}

    def test_a_comment_comes_back_as_the_page_shows_it(self, as_ben: Client, photo: Photo) -> None:
        response = as_ben.post(
            address("comments", photo.pk), {"text": "<b>Bold</b> & blue"}, headers=JSON
        )

        answer = response.json()
        comment = Comment.objects.get()
        assert response.status_code == 201
        assert answer["id"] == comment.pk
        assert answer["count"] == 1
        assert f'id="comment-{comment.pk}"' in answer["html"]
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; blue" in answer["html"]
        assert address("comment_delete", comment.pk) in answer["html"]

    def test_what_is_wrong_with_a_comment_is_told(self, as_ben: Client, photo: Photo) -> None:
        response = as_ben.post(address("comments", photo.pk), {"text": " "}, headers=JSON)

        assert response.status_code == 422
        assert response.json() == {"error": "This field is required."}

    def test_why_somebody_may_not_is_told(self, as_ben: Client) -> None:
        response = as_ben.post(address("follow", "ben"), headers=JSON)

        assert response.status_code == 403
        assert response.json() == {"error": "You see your own photos already."}

    def test_a_deleted_comment_says_how_many_are_left(
        self, as_ben: Client, ben: User, photo: Photo
    ) -> None:
        comment = make_comment(photo, author=ben)
        make_comment(photo)

        response = as_ben.post(address("comment_delete", comment.pk), headers=JSON)

        assert response.json() == {"count": 1}


class TestWhoMay:
    @pytest.mark.parametrize("name", ["like", "unlike", "comments"])
    def test_a_visitor_is_asked_to_log_in_and_comes_back(
        self, client: Client, photo: Photo, name: str
    ) -> None:
        where = photo.get_absolute_url()

        response = client.post(address(name, photo.pk), {"text": "Hello", "next": where})

        assert response.status_code == 302
        assert response["Location"].endswith(f"?next={quote(where)}")
        assert not Like.objects.exists()
        assert not Comment.objects.exists()

    def test_a_visitor_with_script_is_told_to_log_in(self, client: Client, photo: Photo) -> None:
        response = client.post(address("like", photo.pk), headers=JSON)

        assert response.status_code == 401
        assert response.json()["login"]

    @pytest.mark.parametrize("name", ["like", "unlike"])
    def test_looking_changes_nothing(self, as_ben: Client, photo: Photo, name: str) -> None:
        assert as_ben.get(address(name, photo.pk)).status_code == 405

    @pytest.mark.parametrize("name", ["like", "unlike", "comments"])
    def test_what_one_may_not_see_is_not_there(self, as_ben: Client, ada: User, name: str) -> None:
        hidden = make_photo(ada, state="developing")

        response = as_ben.post(address(name, hidden.pk), {"text": "Hello"})

        assert response.status_code == 404

    def test_what_was_never_there_is_not_there(self, as_ben: Client) -> None:
        assert as_ben.post(address("like", uuid.uuid4())).status_code == 404
        assert as_ben.post(address("follow", "nobody")).status_code == 404
        assert as_ben.post(address("comment_delete", 1)).status_code == 404

    def test_somebody_who_left_is_not_there(self, as_ben: Client) -> None:
        make_user("gone", is_active=False)

        assert as_ben.post(address("follow", "gone")).status_code == 404

    @pytest.mark.parametrize("name", ["follow", "unfollow"])
    def test_somebody_who_never_confirmed_is_not_there(self, as_ben: Client, name: str) -> None:
        make_user("new", confirmed=False)

        assert as_ben.post(address(name, "new")).status_code == 404
        assert not Follow.objects.exists()

    def test_a_name_that_no_database_takes_is_not_there(self, as_ben: Client) -> None:
        assert as_ben.post("/people/a%00b/follow/").status_code == 404

    @pytest.mark.parametrize(
        ("who", "status"), [("ben", 302), ("ada", 302), ("staff", 302), ("cyd", 403)]
    )
    def test_a_comment_is_deleted_by_its_author_the_owner_and_staff(
        self, client: Client, photo: Photo, who: str, status: int
    ) -> None:
        people = {name: make_user(name) for name in ("ben", "cyd")}
        make_user("staff", is_staff=True)
        comment = make_comment(photo, author=people["ben"])
        client.force_login(User.objects.get(username=who))

        response = client.post(address("comment_delete", comment.pk))

        assert response.status_code == status
        assert Comment.objects.exists() == (status == 403)

    def test_the_form_must_be_ours(self, ben: User, photo: Photo) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(ben)

        assert client.post(address("like", photo.pk)).status_code == 403
        assert not Like.objects.exists()


class TestCommentsPage:
    def test_it_shows_what_was_said(self, client: Client, photo: Photo) -> None:
        make_comment(photo, text="First light")
        make_comment(photo, text="Second thoughts")

        page = client.get(address("comments", photo.pk)).content.decode()

        assert page.index("First light") < page.index("Second thoughts")

    @pytest.mark.parametrize("before", ["tea", "", "1e3"])
    def test_a_place_that_is_none_is_not_there(
        self, client: Client, photo: Photo, before: str
    ) -> None:
        url = address("comments", photo.pk)

        assert client.get(url, {"before": before}).status_code == 404

    def test_a_place_far_out_is_empty(self, client: Client, photo: Photo) -> None:
        response = client.get(address("comments", photo.pk), {"before": "9" * 40})

        assert response.status_code == 200
        assert b"Nobody has said anything yet" in response.content
