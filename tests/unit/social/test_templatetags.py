from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from inline_snapshot import snapshot

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.photos import selectors as photos
from apps.photos.models import Photo
from apps.social import selectors, services
from apps.social.forms import CommentForm
from tests.support.accounts import make_user
from tests.support.caching import trace
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]

Show = Callable[..., str]


@pytest.fixture
def photo(ada: User) -> Photo:
    return make_photo(ada)


def show(tag: str, *, viewer: User | None = None, **context: object) -> str:
    """Render one tag as a page of this viewer would."""
    request = RequestFactory().get("/")
    user = viewer or AnonymousUser()
    values = {"request": request, "user": user, "csrf_token": "token", **context}
    return Template("{% load social %}{% " + tag + " %}").render(Context(values))


class TestLikeButton:
    def test_it_offers_to_like(self, photo: Photo, ben: User) -> None:
        button = show("like_button photo", viewer=ben, photo=photo)

        assert f'action="/photos/{photo.pk}/like/"' in button
        assert 'aria-pressed="false"' in button

    def test_it_offers_the_opposite_to_one_who_likes(self, photo: Photo, ben: User) -> None:
        make_like(photo, person=ben)
        photo.refresh_from_db()

        button = show("like_button photo", viewer=ben, photo=photo)

        assert f'action="/photos/{photo.pk}/unlike/"' in button
        assert 'aria-pressed="true"' in button
        assert '<span class="count" data-count>1</span>' in button

    def test_the_like_of_another_is_not_mine(self, photo: Photo, ben: User) -> None:
        make_like(photo)

        assert 'aria-pressed="false"' in show("like_button photo", viewer=ben, photo=photo)

    def test_a_visitor_is_led_to_the_log_in(self, photo: Photo) -> None:
        button = show("like_button photo", photo=photo)

        assert "<form" not in button
        assert f"?next=/photos/{photo.pk}/" in button

    def test_a_visitor_costs_no_query(self, photo: Photo) -> None:
        with trace() as seen:
            show("like_button photo", photo=photo)

        assert seen.lines == []

    def test_it_takes_the_details_of_a_photo_too(self, photo: Photo, ben: User) -> None:
        details = photos.describe(photo)

        assert "aria-pressed" in show("like_button photo", viewer=ben, photo=details)


class TestLikedAmong:
    def test_one_query_for_a_whole_stream(self, ben: User) -> None:
        stream = [make_photo() for _ in range(20)]
        for liked in stream[:2]:
            make_like(liked, person=ben)
        make_like(stream[5])
        entries = [(photo.pk, photo.owner_id) for photo in stream]

        with trace() as seen:
            marks = show("liked_among entries", viewer=ben, entries=entries)

        assert seen.lines == ["SELECT social_like"]
        assert set(re.findall(r"[0-9a-f-]{36}", marks)) == {str(photo.pk) for photo in stream[:2]}

    def test_nothing_for_a_visitor_or_an_empty_page(self, ben: User, photo: Photo) -> None:
        with trace() as seen:
            assert show("liked_among entries", entries=[photo.pk]).strip() == ""
            assert show("liked_among entries", viewer=ben, entries=[]).strip() == ""

        assert seen.lines == []


class TestFollowButton:
    def test_it_offers_to_follow(self, ada: User, ben: User) -> None:
        button = show("follow_button person", viewer=ben, person=ada)

        assert 'action="/people/ada/follow/"' in button
        assert 'aria-pressed="false"' in button

    def test_it_offers_the_opposite_to_one_who_follows(self, ada: User, ben: User) -> None:
        make_follow(follower=ben, followed=ada)

        button = show("follow_button person", viewer=ben, person=ada)

        assert 'action="/people/ada/unfollow/"' in button
        assert 'aria-pressed="true"' in button

    def test_there_is_none_for_oneself(self, ada: User) -> None:
        assert show("follow_button person", viewer=ada, person=ada).strip() == ""

    def test_a_visitor_is_led_to_the_log_in(self, ada: User) -> None:
        with trace() as seen:
            button = show("follow_button person", person=ada)

        assert "?next=/people/ada/" in button
        assert seen.lines == []


class TestComments:
    def test_they_stand_in_the_order_of_reading(self, photo: Photo) -> None:
        for text in ("one", "two", "three"):
            make_comment(photo, text=text)

        shown = show("comments photo", photo=photo)

        assert re.findall(r">(one|two|three)<", shown) == ["one", "two", "three"]

    def test_what_people_write_is_text(self, photo: Photo) -> None:
        make_comment(photo, text="<script>alert(1)</script>")

        shown = show("comments photo", photo=photo)

        assert "&lt;script&gt;" in shown
        assert "<script>" not in shown

    def test_one_may_take_away_what_is_ones_own(self, photo: Photo, ben: User) -> None:
        mine, other = make_comment(photo, author=ben), make_comment(photo)

        shown = show("comments photo", viewer=ben, photo=photo)

        assert f"/comments/{mine.pk}/delete/" in shown
        assert f"/comments/{other.pk}/delete/" not in shown

    def test_the_owner_and_staff_may_take_away_all(self, photo: Photo, ada: User) -> None:
        make_comment(photo)
        make_comment(photo)
        staff = make_user(is_staff=True)

        assert show("comments photo", viewer=ada, photo=photo).count("/delete/") == 2
        assert show("comments photo", viewer=staff, photo=photo).count("/delete/") == 2
        assert show("comments photo", photo=photo).count("/delete/") == 0

    @pytest.mark.usefixtures("transactional_db")
    def test_warm_it_is_two_round_trips_and_no_query(self, photo: Photo, ben: User) -> None:
        for _ in range(10):
            make_comment(photo)
        show("comments photo", photo=photo)

        with trace() as seen:
            show("comments photo", viewer=ben, photo=photo)

        assert seen.lines == snapshot(
            ["get apps.social.selectors.list_comments +3 tags", "get social.comment*10 +22 tags"]
        )

    @pytest.mark.usefixtures("transactional_db")
    def test_cold_it_is_two_queries(self, photo: Photo) -> None:
        for _ in range(10):
            make_comment(photo)

        with trace() as seen:
            show("comments photo", photo=photo)

        assert [line for line in seen.lines if line.startswith("SELECT")] == [
            "SELECT social_comment",
            "SELECT social_comment accounts_user",
        ]

    def test_the_newest_come_first_and_lead_to_the_earlier(
        self, photo: Photo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selectors, "COMMENTS_PAGE", 2)
        for text in ("one", "two", "three", "four", "five"):
            make_comment(photo, text=text)

        newest = show("comments photo", photo=photo)
        before = int(re.findall(r"before=(\d+)", newest)[0])
        middle = show("comments photo before=before", photo=photo, before=before)
        before = int(re.findall(r"before=(\d+)", middle)[0])
        oldest = show("comments photo before=before", photo=photo, before=before)

        assert re.findall(r">(one|two|three|four|five)<", newest) == ["four", "five"]
        assert re.findall(r">(one|two|three|four|five)<", middle) == ["two", "three"]
        assert re.findall(r">(one|two|three|four|five)<", oldest) == ["one"]
        assert "before=" not in oldest

    def test_nobody_has_said_anything(self, photo: Photo) -> None:
        assert "Nobody has said anything yet" in show("comments photo", photo=photo)

    @pytest.mark.waived("DELETE", "accounts_user", because="past the services, to see what is left")
    @pytest.mark.waived(
        "DELETE", "social_comment", because="past the services, to see what is left"
    )
    def test_a_comment_that_went_with_its_author_leaves_no_gap(
        self, photo: Photo, ben: User
    ) -> None:
        make_comment(photo, author=ben)
        entries = selectors.list_comments.fresh(photo_id=photo.pk).entries
        ben.delete()

        assert entries
        assert 'class="comment"' not in show("comments photo", photo=photo)


class TestCommentForm:
    def test_somebody_may_say_something(self, photo: Photo, ben: User) -> None:
        form = show("comment_form photo", viewer=ben, photo=photo)

        assert f'action="/photos/{photo.pk}/comments/"' in form
        assert 'maxlength="1000"' in form

    def test_a_visitor_is_led_to_the_log_in(self, photo: Photo) -> None:
        assert "<form" not in show("comment_form photo", photo=photo)

    def test_what_was_refused_is_in_it_again(self, photo: Photo, ben: User) -> None:
        form = CommentForm({"text": "x" * 1001})

        shown = show("comment_form photo form", viewer=ben, photo=photo, form=form)

        assert "x" * 1001 in shown
        assert "at most 1000 characters" in shown


class TestFollowing:
    def test_it_names_whom_a_person_follows(self, ada: User, ben: User, cyd: User) -> None:
        make_follow(follower=ben, followed=ada)
        make_follow(follower=ben, followed=cyd)
        make_follow(follower=ada, followed=ben)

        shown = show("following person", person=ben)

        assert re.findall(r'href="/people/(\w+)/"', shown) == ["cyd", "ada"]

    def test_it_is_left_out_for_one_who_follows_nobody(self, ada: User) -> None:
        assert show("following person", person=ada).strip() == ""


class TestNothingIsStale:
    """Each service says what it changed: what was shown before is not shown after."""

    def see(self, photo: Photo, *people: User) -> str:
        shown = [show("comments photo", photo=photo)]
        for person in people:
            shown.append(show("following person", person=person))
            template = Template('{% load widgets %}{% widget "social.counts" person_id=pk %}')
            shown.append(template.render(Context({"pk": person.pk})))
        details = photos.find_details(pk=photo.pk)
        shown.append(f"likes {details.like_count if details else None}")
        return "".join(shown)

    def test_after_a_like_and_its_opposite(self, photo: Photo, ben: User) -> None:
        assert "likes 0" in self.see(photo)

        services.like_photo(person=ben, photo=photo)
        assert "likes 1" in self.see(photo)

        services.unlike_photo(person=ben, photo=photo)
        assert "likes 0" in self.see(photo)

    def test_after_a_follow_and_its_end(self, photo: Photo, ada: User, ben: User) -> None:
        assert "<strong>1</strong> follower" not in self.see(photo, ada, ben)

        services.follow_person(follower=ben, followed=ada)
        assert "<strong>1</strong> follower" in self.see(photo, ada, ben)

        services.unfollow_person(follower=ben, followed=ada)
        assert "<strong>1</strong> follower" not in self.see(photo, ada, ben)

    @pytest.mark.parametrize("who", ["ada", "ben"])
    def test_after_somebody_was_shut_out_and_let_in_again(
        self, photo: Photo, ada: User, ben: User, who: str
    ) -> None:
        make_follow(follower=ben, followed=ada)
        person = {"ada": ada, "ben": ben}[who]
        before = self.see(photo, ada, ben)

        person.is_active = False
        accounts.moderate(person=person, fields=["is_active"])
        assert self.see(photo, ada, ben) != before

        person.is_active = True
        accounts.moderate(person=person, fields=["is_active"])
        assert self.see(photo, ada, ben) == before

    def test_after_a_comment_and_its_deletion(self, photo: Photo, ben: User) -> None:
        self.see(photo)

        comment = services.comment_on_photo(author=ben, photo=photo, text="What a sky!")
        assert "What a sky!" in self.see(photo)

        services.delete_comment(comment=comment)
        assert "What a sky!" not in self.see(photo)

    def test_two_changes_in_one_minute_do_not_hide_each_other(
        self, photo: Photo, ben: User
    ) -> None:
        make_comment(photo, author=ben, created_at=timezone.now() - timedelta(days=1))
        self.see(photo, ben)

        make_comment(photo, author=ben, text="And again")
        self.see(photo, ben)
