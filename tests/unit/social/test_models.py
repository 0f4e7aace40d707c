from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social.models import Comment, Follow, Like
from apps.social.validators import has_no_control_characters, is_readable, tidy_text
from tests.support.photos import make_photo
from tests.support.social import make_comment


@pytest.mark.django_db
class TestWhatTheDatabaseKeeps:
    def refuses(self, write: Callable[[], object], *, constraint: str) -> None:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            write()

    def test_nobody_follows_somebody_twice(self, ada: User, ben: User) -> None:
        Follow.objects.create(follower=ben, followed=ada)

        self.refuses(
            lambda: Follow.objects.create(follower=ben, followed=ada), constraint="follow_once"
        )

    def test_nobody_follows_themselves(self, ada: User) -> None:
        self.refuses(
            lambda: Follow.objects.create(follower=ada, followed=ada), constraint="follow_others"
        )

    def test_nobody_likes_something_twice(self, ada: User) -> None:
        photo = make_photo()
        Like.objects.create(person=ada, photo=photo)

        self.refuses(lambda: Like.objects.create(person=ada, photo=photo), constraint="like_once")

    def test_all_goes_with_the_photo(self, ada: User) -> None:
        photo = make_photo()
        Like.objects.create(person=ada, photo=photo)
        make_comment(photo)

        Photo.objects.filter(pk=photo.pk).delete()

        assert not Like.objects.exists()
        assert not Comment.objects.exists()

    def test_all_goes_with_the_person(self, ada: User, ben: User) -> None:
        photo = make_photo()
        Follow.objects.create(follower=ben, followed=ada)
        Follow.objects.create(follower=ada, followed=ben)
        Like.objects.create(person=ada, photo=photo)
        make_comment(photo, author=ada)

        ada.delete()

        assert not Follow.objects.exists()
        assert not Like.objects.exists()
        assert not Comment.objects.exists()


@pytest.mark.django_db
def test_a_comment_has_an_address_on_the_page_of_its_photo() -> None:
    comment = make_comment()

    assert comment.get_absolute_url() == f"/photos/{comment.photo_id}/#comment-{comment.pk}"


@pytest.mark.django_db
def test_a_comment_names_what_shows_it() -> None:
    comment = make_comment()

    assert comment.cache_tags() == [f"comment:{comment.pk}", f"comments:{comment.photo_id}"]


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("  Fine.  ", "Fine."),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("one   \n  two", "one\n  two"),
        (" \n ", ""),
    ],
)
def test_a_text_is_tidied(text: str, tidied: str) -> None:
    assert tidy_text(text) == tidied
    assert tidy_text(tidied) == tidied


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_character_that_no_page_shows_is_refused(char: str) -> None:
    with pytest.raises(ValidationError):
        has_no_control_characters(f"left{char}right")


def test_lines_tabs_and_all_scripts_are_taken() -> None:
    has_no_control_characters("one\n\ttwo שלום 日本 👩‍👩‍👧 é")


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u2060\u00a0"])
def test_a_text_of_which_nothing_is_seen_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        is_readable(text)


@pytest.mark.parametrize("text", [".", "!", "a", "日", "❤️", "1"])
def test_one_sign_is_enough_to_say_something(text: str) -> None:
    is_readable(text)
