"""Who is told of what: written with what it speaks of, and gone with it."""

from __future__ import annotations

import pytest
from django.db import transaction

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import selectors, services, widgets
from apps.social.models import Notification
from tests.support.accounts import make_user
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_follow, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture
def photo(ada: User) -> Photo:
    return make_photo(ada, title="Harbour")


def lines(person: User) -> list[tuple[str, str, int, bool]]:
    page = selectors.list_news(person=person)
    return [
        (line.newest.verb, line.newest.actor.username, line.others, line.is_new)
        for line in page.lines
    ]


def bell(person: User) -> str:
    """What the bell says: looked at before and after a change, so that its entry is watched."""
    return str(widgets.bell(person_id=person.pk))


def count(person: User) -> int:
    assert f"data-bell-count hidden>{0}<" in bell(person) or "data-bell-count>" in bell(person)
    return selectors.count_unseen(person_id=person.pk)


class TestWhoIsTold:
    def test_the_owner_hears_of_a_like_a_comment_and_a_follower(
        self, photo: Photo, ada: User, ben: User
    ) -> None:
        assert count(ada) == 0

        make_like(photo, person=ben)
        make_comment(photo, author=ben)
        make_follow(follower=ben, followed=ada)

        assert lines(ada) == [
            ("followed", "ben", 0, True),
            ("commented", "ben", 0, True),
            ("liked", "ben", 0, True),
        ]
        assert count(ada) == 3
        assert "data-bell-count>3<" in bell(ada)
        assert lines(ben) == []

    def test_nobody_is_told_what_they_did_themselves(self, photo: Photo, ada: User) -> None:
        make_like(photo, person=ada)
        make_comment(photo, author=ada)

        assert lines(ada) == []

    def test_the_same_twice_is_told_once(self, photo: Photo, ada: User, ben: User) -> None:
        make_like(photo, person=ben)
        make_like(photo, person=ben)
        make_comment(photo, author=ben, text="Once.")
        make_comment(photo, author=ben, text="Once.")

        assert Notification.objects.filter(recipient=ada).count() == 2

    def test_what_is_rolled_back_was_told_to_nobody(
        self, photo: Photo, ada: User, ben: User
    ) -> None:
        with transaction.atomic():
            make_like(photo, person=ben)
            transaction.set_rollback(True)

        assert lines(ada) == []

    def test_who_wants_to_hear_of_no_likes_hears_of_comments(
        self, photo: Photo, ada: User, ben: User
    ) -> None:
        services.choose_notifications(person=ada, likes=False, conversations=True)

        make_like(photo, person=ben)
        make_comment(photo, author=ben)

        assert [verb for verb, *_ in lines(ada)] == ["commented"]
        services.choose_notifications(person=ada, likes=True, conversations=True)
        make_like(photo)
        assert [verb for verb, *_ in lines(ada)] == ["liked", "commented"]


class TestFolding:
    def test_likes_of_one_photo_are_one_line(self, photo: Photo, ada: User) -> None:
        for _ in range(3):
            make_like(photo)
        make_like(photo, person=make_user("zoe"))

        assert lines(ada) == [("liked", "zoe", 3, True)]
        assert count(ada) == 1

    def test_a_person_who_says_much_is_one_person(self, photo: Photo, ada: User, ben: User) -> None:
        make_comment(photo, author=ben, text="One.")
        make_comment(photo, author=ben, text="Two.")

        assert lines(ada) == [("commented", "ben", 0, True)]

    def test_other_photos_are_other_lines(self, photo: Photo, ada: User, ben: User) -> None:
        make_like(photo, person=ben)
        make_like(make_photo(ada), person=ben)

        assert len(lines(ada)) == 2

    def test_pages_hold_each_line_once(
        self, ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selectors, "NOTIFICATIONS_PAGE", 2)
        for _ in range(5):
            make_like(make_photo(ada), person=ben)

        seen, before = [], 0
        while True:
            page = selectors.list_news(person=ada, before=before)
            seen += [line.newest.photo_id for line in page.lines]
            before = page.earlier
            if not before:
                break

        assert len(seen) == len(set(seen)) == 5


class TestSeen:
    def test_what_was_read_is_no_longer_new(self, photo: Photo, ada: User, ben: User) -> None:
        make_like(photo, person=ben)
        newest = selectors.list_news(person=ada).lines[0].newest
        assert count(ada) == 1

        assert services.mark_seen(person=ada, up_to=newest.pk) == 1

        assert lines(ada) == [("liked", "ben", 0, False)]
        assert count(ada) == 0
        assert services.mark_seen(person=ada, up_to=newest.pk) == 0

    def test_what_came_meanwhile_stays_new(self, photo: Photo, ada: User, ben: User) -> None:
        make_like(photo, person=ben)
        newest = selectors.list_news(person=ada).lines[0].newest
        make_comment(photo, author=ben)

        services.mark_seen(person=ada, up_to=newest.pk)

        assert lines(ada) == [("commented", "ben", 0, True), ("liked", "ben", 0, False)]

    def test_nobody_reads_for_another(self, photo: Photo, ada: User, ben: User) -> None:
        make_like(photo, person=ben)

        assert services.mark_seen(person=ben, up_to=2**62) == 0

        assert count(ada) == 1


class TestGone:
    """What is undone was never told."""

    @pytest.fixture
    def told(self, photo: Photo, ada: User, ben: User) -> Photo:
        make_like(photo, person=ben)
        make_follow(follower=ben, followed=ada)
        make_comment(photo, author=ben)
        assert count(ada) == 3
        return photo

    def test_a_like_that_is_taken_back(self, told: Photo, ada: User, ben: User) -> None:
        services.unlike_photo(person=ben, photo=told)

        assert [verb for verb, *_ in lines(ada)] == ["commented", "followed"]
        assert count(ada) == 2

    def test_who_follows_no_longer(self, told: Photo, ada: User, ben: User) -> None:
        services.unfollow_person(follower=ben, followed=ada)

        assert [verb for verb, *_ in lines(ada)] == ["commented", "liked"]

    def test_a_comment_that_is_deleted(self, told: Photo, ada: User, ben: User) -> None:
        services.delete_comment(comment=told.comments.get())

        assert [verb for verb, *_ in lines(ada)] == ["followed", "liked"]

    def test_a_photo_that_is_deleted(self, told: Photo, ada: User) -> None:
        photos.delete_photo(photo=told)

        assert [verb for verb, *_ in lines(ada)] == ["followed"]
        assert "data-bell-count>1<" in bell(ada)

    def test_a_person_who_leaves(self, told: Photo, ada: User, ben: User) -> None:
        accounts.delete_account(person=ben)

        assert lines(ada) == []
        assert "data-bell-count hidden>0<" in bell(ada)
