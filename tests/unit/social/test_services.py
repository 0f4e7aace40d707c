from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from apps import caching
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import services
from apps.social.exceptions import NotConfirmed, NotPublished, Oneself, TooFast
from apps.social.models import COMMENT_LENGTH, Comment, Follow, Like
from tests.support.accounts import make_user
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]

PEOPLE_AT_ONCE = 8


def at_once(*calls: Callable[[], object]) -> list[BaseException]:
    """Start all calls in the same moment, each with a connection of its own; return errors."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            start.wait(10)
            call()
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


def likes_of(photo: Photo) -> tuple[int, int]:
    """Return the number beside the photo, and the number of rows."""
    photo.refresh_from_db()
    return photo.like_count, Like.objects.filter(photo=photo).count()


def comments_of(photo: Photo) -> tuple[int, int]:
    photo.refresh_from_db()
    return photo.comment_count, Comment.objects.filter(photo=photo).count()


class TestLikes:
    def test_a_like_is_kept_and_counted(self) -> None:
        photo = make_photo()

        assert services.like_photo(person=make_user(), photo=photo)

        assert likes_of(photo) == (1, 1)

    def test_twice_is_once(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        services.like_photo(person=ben, photo=photo)

        assert not services.like_photo(person=ben, photo=photo)

        assert likes_of(photo) == (1, 1)

    def test_it_can_be_taken_back_once(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        make_like(photo, person=ben)
        make_like(photo)

        assert services.unlike_photo(person=ben, photo=photo)
        assert not services.unlike_photo(person=ben, photo=photo)

        assert likes_of(photo) == (1, 1)

    @pytest.mark.parametrize("state", ["queued", "developing", "failed"])
    def test_what_is_not_published_cannot_be_liked(self, state: str) -> None:
        photo = make_photo(state=state)

        with pytest.raises(NotPublished):
            services.like_photo(person=photo.owner, photo=photo)

        assert likes_of(photo) == (0, 0)

    def test_what_was_deleted_meanwhile_cannot_be_liked(self) -> None:
        photo = make_photo()
        with transaction.atomic():
            caching.changed(photo)
            Photo.objects.filter(pk=photo.pk).delete()

        with pytest.raises(NotPublished):
            services.like_photo(person=make_user(), photo=photo)

    def test_an_unconfirmed_person_may_not(self) -> None:
        photo = make_photo()

        with pytest.raises(NotConfirmed, match="Confirm your address"):
            services.like_photo(person=make_user(confirmed=False), photo=photo)

        assert likes_of(photo) == (0, 0)

    @pytest.mark.django_db(transaction=True)
    def test_a_double_click_is_one_like(self) -> None:
        photo, ben = make_photo(), make_user("ben")

        errors = at_once(
            *[lambda: services.like_photo(person=ben, photo=photo) for _ in range(PEOPLE_AT_ONCE)]
        )

        assert errors == []
        assert likes_of(photo) == (1, 1)

    @pytest.mark.django_db(transaction=True)
    def test_many_people_in_the_same_moment_all_count(self) -> None:
        photo = make_photo()
        people = [make_user() for _ in range(PEOPLE_AT_ONCE)]

        errors = at_once(
            *[
                lambda person=person: services.like_photo(person=person, photo=photo)
                for person in people
            ]
        )

        assert errors == []
        assert likes_of(photo) == (PEOPLE_AT_ONCE, PEOPLE_AT_ONCE)

    @pytest.mark.django_db(transaction=True)
    def test_likes_and_their_opposite_end_in_step(self) -> None:
        photo = make_photo()
        people = [make_user() for _ in range(4)]
        for person in people[:2]:
            make_like(photo, person=person)

        errors = at_once(
            *[lambda p=person: services.like_photo(person=p, photo=photo) for person in people],
            *[lambda p=person: services.unlike_photo(person=p, photo=photo) for person in people],
        )
        counted, rows = likes_of(photo)

        assert errors == []
        assert counted == rows

    @pytest.mark.django_db(transaction=True)
    def test_a_photo_deleted_under_the_finger_is_no_error_page(self) -> None:
        photo = make_photo()
        people = [make_user() for _ in range(4)]

        errors = at_once(
            *[lambda p=person: services.like_photo(person=p, photo=photo) for person in people],
            lambda: photos.delete_photo(photo=Photo.objects.get(pk=photo.pk)),
            *[lambda p=person: services.unlike_photo(person=p, photo=photo) for person in people],
        )

        assert {type(error) for error in errors} <= {NotPublished}
        assert Like.objects.count() == 0


class TestFollows:
    def test_a_follow_is_kept(self) -> None:
        ben, ada = make_user("ben"), make_user("ada")

        assert services.follow_person(follower=ben, followed=ada)

        assert Follow.objects.filter(follower=ben, followed=ada).exists()
        assert not Follow.objects.filter(follower=ada).exists()

    def test_twice_is_once(self) -> None:
        ben, ada = make_user("ben"), make_user("ada")
        make_follow(follower=ben, followed=ada)

        assert not services.follow_person(follower=ben, followed=ada)

        assert Follow.objects.count() == 1

    def test_it_can_be_ended_once(self) -> None:
        ben, ada = make_user("ben"), make_user("ada")
        make_follow(follower=ben, followed=ada)
        make_follow(follower=ada, followed=ben)

        assert services.unfollow_person(follower=ben, followed=ada)
        assert not services.unfollow_person(follower=ben, followed=ada)

        assert list(Follow.objects.values_list("follower__username", flat=True)) == ["ada"]

    def test_nobody_follows_themselves(self) -> None:
        ada = make_user("ada")

        with pytest.raises(Oneself):
            services.follow_person(follower=ada, followed=ada)

    def test_an_unconfirmed_person_may_not(self) -> None:
        with pytest.raises(NotConfirmed):
            services.follow_person(follower=make_user(confirmed=False), followed=make_user())

    @pytest.mark.django_db(transaction=True)
    def test_a_double_click_is_one_follow(self) -> None:
        ben, ada = make_user("ben"), make_user("ada")

        errors = at_once(
            *[
                lambda: services.follow_person(follower=ben, followed=ada)
                for _ in range(PEOPLE_AT_ONCE)
            ]
        )

        assert errors == []
        assert Follow.objects.count() == 1


class TestComments:
    def test_a_comment_is_kept_and_counted(self) -> None:
        photo, ben = make_photo(), make_user("ben")

        comment = services.comment_on_photo(author=ben, photo=photo, text="  What a sky!\r\n")

        assert comment.text == "What a sky!"
        assert comment.author == ben
        assert comments_of(photo) == (1, 1)

    @pytest.mark.parametrize(
        "text",
        ["", "  \n\t ", "\u200b\u200b", "bell\x07", "escape\x1b[2J", "null\x00", "x" * 1001],
    )
    def test_a_text_that_cannot_be_shown_is_refused(self, text: str) -> None:
        photo = make_photo()

        with pytest.raises(ValidationError) as refusal:
            services.comment_on_photo(author=make_user(), photo=photo, text=text)

        assert list(refusal.value.message_dict) == ["text"]
        assert comments_of(photo) == (0, 0)

    @pytest.mark.parametrize("text", ["x" * COMMENT_LENGTH, "日本の海", "👏", "Oh!\n\nAnd this?"])
    def test_a_text_that_can_be_shown_is_taken(self, text: str) -> None:
        assert make_comment(text=text).text == text

    def test_the_same_at_once_is_the_same_comment(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        first = make_comment(photo, author=ben, text="Lovely.")

        again = services.comment_on_photo(author=ben, photo=photo, text="Lovely. ")

        assert again == first
        assert comments_of(photo) == (1, 1)

    def test_the_same_to_another_photo_is_another_comment(self) -> None:
        ben = make_user("ben")
        first = make_comment(author=ben, text="Lovely.")

        assert make_comment(author=ben, text="Lovely.") != first

    def test_a_flood_is_stopped(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        for number in range(services.COMMENTS_A_MINUTE):
            make_comment(photo, author=ben, text=f"And {number}")

        with pytest.raises(TooFast):
            services.comment_on_photo(author=ben, photo=photo, text="And more")

        assert comments_of(photo) == (services.COMMENTS_A_MINUTE,) * 2

    def test_a_minute_later_it_goes_on(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        for number in range(services.COMMENTS_A_MINUTE):
            make_comment(
                photo,
                author=ben,
                text=f"And {number}",
                created_at=timezone.now() - timedelta(minutes=1, seconds=1),
            )

        assert make_comment(photo, author=ben, text="And more").text == "And more"

    def test_the_flood_of_one_does_not_stop_another(self) -> None:
        photo, ben = make_photo(), make_user("ben")
        for number in range(services.COMMENTS_A_MINUTE):
            make_comment(photo, author=ben, text=f"And {number}")

        assert make_comment(photo).text

    @pytest.mark.django_db(transaction=True)
    def test_a_flood_in_one_moment_is_stopped_too(self) -> None:
        photo, ben = make_photo(), make_user("ben")

        errors = at_once(
            *[
                lambda n=number: services.comment_on_photo(author=ben, photo=photo, text=f"And {n}")
                for number in range(services.COMMENTS_A_MINUTE + 3)
            ]
        )

        assert [type(error) for error in errors] == [TooFast] * 3
        assert comments_of(photo) == (services.COMMENTS_A_MINUTE,) * 2

    def test_what_is_not_published_is_not_talked_about(self) -> None:
        photo = make_photo(state="developing")

        with pytest.raises(NotPublished):
            services.comment_on_photo(author=photo.owner, photo=photo, text="Soon.")

    def test_an_unconfirmed_person_may_not(self) -> None:
        with pytest.raises(NotConfirmed):
            make_comment(author=make_user(confirmed=False))

    def test_deleted_once_is_counted_once(self) -> None:
        photo = make_photo()
        comment, _ = make_comment(photo), make_comment(photo)

        assert services.delete_comment(comment=comment)
        assert not services.delete_comment(comment=comment)

        assert comments_of(photo) == (1, 1)
