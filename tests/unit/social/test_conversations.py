"""Who commented on a photo hears of what others say there afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.messaging import Job
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import processing, selectors, services, tasks, widgets
from apps.social.models import Comment, Notification
from tests.support.accounts import make_user
from tests.support.messaging import run_jobs
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_like

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.fixture
def photo(ada: User) -> Photo:
    """A photo of ada, on which ben has commented."""
    return make_photo(ada, title="Harbour")


@pytest.fixture
def bens(photo: Photo, ben: User) -> Comment:
    return make_comment(photo, author=ben)


def say(photo: Photo, author: User, text: str = "Yes, lovely.") -> Comment:
    """Comment, and let the worker tell of it."""
    comment = make_comment(photo, author=author, text=text)
    run_jobs(queue="default")
    return comment


def told(person: User) -> list[tuple[str, str, int]]:
    page = selectors.list_news(person=person)
    return [(it.newest.verb, it.newest.actor.username, it.others) for it in page.lines]


def bell(person: User) -> str:
    """What the bell says: looked at before and after a change, so that its entry is watched."""
    shown = str(widgets.bell(person_id=person.pk))
    return shown.partition("data-bell-count")[2].partition("<")[0]


class TestWhoIsTold:
    def test_who_commented_before_hears_and_the_owner_hears_as_ever(
        self, photo: Photo, bens: Comment, ada: User, ben: User, cyd: User
    ) -> None:
        assert bell(ben) == " hidden>0"

        say(photo, cyd)

        assert told(ben) == [("also", "cyd", 0)]
        assert told(ada) == [("commented", "cyd", 1)]
        assert told(cyd) == []
        assert bell(ben) == ">1"

    def test_nobody_hears_of_their_own_words(self, photo: Photo, bens: Comment, ben: User) -> None:
        say(photo, ben, "And another thing.")

        assert told(ben) == []

    def test_the_owner_who_answers_is_heard_by_who_spoke(
        self, photo: Photo, bens: Comment, ada: User, ben: User
    ) -> None:
        say(photo, ada)

        assert told(ben) == [("also", "ada", 0)]
        assert told(ada) == [("commented", "ben", 0)]

    def test_who_comes_later_does_not_hear_of_what_was_said_before(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        make_comment(photo, author=cyd)
        make_comment(photo, author=make_user("dora"))

        run_jobs(queue="default")

        assert told(ben) == [("also", "dora", 1)]
        assert told(cyd) == [("also", "dora", 0)]

    def test_what_is_said_on_one_photo_on_one_day_is_one_line(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        for text in ("One.", "Two."):
            say(photo, cyd, text)
        say(photo, make_user("dora"))

        assert told(ben) == [("also", "dora", 1)]
        assert bell(ben) == ">1"

    def test_who_wants_no_conversations_hears_of_their_own_photos_alone(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        services.choose_notifications(person=ben, likes=True, conversations=False)
        own = make_photo(ben)

        say(photo, cyd)
        say(own, cyd)

        assert told(ben) == [("commented", "cyd", 0)]

    def test_who_took_back_all_they_said_is_left_alone(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        services.delete_comment(comment=bens)

        say(photo, cyd)

        assert told(ben) == []

    def test_an_account_that_was_closed_is_told_nothing(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        User.objects.filter(pk=ben.pk).update(is_active=False)

        say(photo, cyd)

        assert not Notification.objects.filter(recipient=ben).exists()

    def test_in_a_crowd_those_who_spoke_last_are_told(
        self, photo: Photo, cyd: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selectors, "TOLD_AT_MOST", 2)
        first, second, third = people = [make_user() for _ in range(3)]
        for person in people:
            make_comment(photo, author=person)
        make_comment(photo, author=first, text="Once more.")
        run_jobs(queue="default")
        Notification.objects.all().delete()

        say(photo, cyd)

        heard = Notification.objects.filter(verb="also").values_list("recipient", flat=True)
        assert set(heard) == {first.pk, third.pk}
        assert second.pk not in heard


class TestTheJob:
    def test_the_first_who_speaks_starts_none(self, photo: Photo, ada: User, ben: User) -> None:
        make_comment(photo, author=ada)
        make_comment(photo, author=ben)

        assert not Job.objects.filter(task="social.tell_conversation").exists()

    def test_done_twice_it_tells_once(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        comment = say(photo, cyd)

        assert processing.tell_conversation(comment_id=comment.pk) == 1

        assert Notification.objects.filter(recipient=ben).count() == 1

    def test_a_comment_that_is_gone_by_then_is_told_to_nobody(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        services.delete_comment(comment=make_comment(photo, author=cyd))

        (job,) = run_jobs(queue="default")

        assert (job.state, told(ben)) == ("done", [])

    def test_of_a_photo_that_others_may_not_see_any_more_nobody_is_told(
        self, photo: Photo, bens: Comment, ben: User, cyd: User
    ) -> None:
        make_comment(photo, author=cyd)
        photos.develop_again(photo=photo)

        run_jobs(queue="default")

        assert told(ben) == []

    def test_the_database_keeps_a_second_row_for_one_comment_out(
        self, photo: Photo, bens: Comment, cyd: User
    ) -> None:
        say(photo, cyd)
        row = Notification.objects.get(verb="also")
        row.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


class TestGone:
    """What is undone was never told."""

    @pytest.fixture
    def heard(self, photo: Photo, bens: Comment, ben: User, cyd: User) -> Comment:
        comment = say(photo, cyd)
        assert bell(ben) == ">1"
        return comment

    def test_a_comment_that_is_deleted(self, heard: Comment, ben: User) -> None:
        services.delete_comment(comment=heard)

        assert (told(ben), bell(ben)) == ([], " hidden>0")

    def test_a_photo_that_is_deleted(self, heard: Comment, photo: Photo, ben: User) -> None:
        photos.delete_photo(photo=photo)

        assert (told(ben), bell(ben)) == ([], " hidden>0")

    @pytest.mark.parametrize("who", ["ada", "cyd"])
    def test_a_person_who_leaves(
        self, heard: Comment, ben: User, ada: User, cyd: User, who: str
    ) -> None:
        accounts.delete_account(person={"ada": ada, "cyd": cyd}[who])

        assert (told(ben), bell(ben)) == ([], " hidden>0")


@pytest.mark.waived("DELETE", "social_notification", because="what was seen is in no number")
class TestPruning:
    def tell(self, photo: Photo, name: str, *, seen: bool, old: bool) -> None:
        """Let somebody like the photo: so much more than so long ago, or just now."""
        person = make_user(name)
        make_like(photo, person=person)
        kept = timedelta(days=settings.NOTIFICATION_DAYS)
        now = timezone.now()
        Notification.objects.filter(actor=person).update(
            seen_at=now if seen else None, created_at=now - kept * (1.01 if old else 0.99)
        )

    def test_what_was_seen_and_is_old_is_forgotten_and_nothing_else(
        self, photo: Photo, ada: User
    ) -> None:
        self.tell(photo, "seen_and_old", seen=True, old=True)
        self.tell(photo, "new_and_old", seen=False, old=True)
        self.tell(photo, "seen_and_young", seen=True, old=False)
        self.tell(photo, "new_and_young", seen=False, old=False)
        assert bell(ada) == ">1"  # likes of one photo are one line

        assert processing.prune_notifications() == 1

        left = Notification.objects.order_by("pk").values_list("actor__username", flat=True)
        assert list(left) == ["new_and_old", "seen_and_young", "new_and_young"]

    def test_much_is_forgotten_in_batches_and_said_in_one_line(
        self, photo: Photo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(processing, "PRUNED_AT_ONCE", 2)
        for number in range(5):
            self.tell(photo, f"fan{number}", seen=True, old=True)
        caplog.set_level("INFO")

        with CaptureQueriesContext(connection) as queries:
            tasks.prune_notifications.function()

        deletions = [q for q in queries.captured_queries if q["sql"].startswith("DELETE")]
        assert len(deletions) == 3
        assert "forgot 5 old notifications" in caplog.text
        assert not Notification.objects.exists()

    def test_it_is_done_once_a_day_by_whoever_is_there(self) -> None:
        assert tasks.prune_notifications.options.every == timedelta(days=1)
