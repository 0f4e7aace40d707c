from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.social.models import Comment
from tests.support.accounts import make_user
from tests.support.photos import make_photo
from tests.support.social import make_comment

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client: Client) -> Client:
    client.force_login(make_user("eva", is_staff=True, is_superuser=True))
    return client


def test_what_somebody_said_is_found(as_staff: Client, ben: User) -> None:
    make_comment(author=ben, text="Buy cheap lenses")
    make_comment(text="What a sky!")

    page = as_staff.get(reverse("admin:social_comment_changelist"), {"q": "lenses"})

    assert b"Buy cheap lenses" in page.content
    assert b"What a sky!" not in page.content


def test_nobody_changes_the_words_of_others(as_staff: Client) -> None:
    comment = make_comment(text="What a sky!")

    as_staff.post(
        reverse("admin:social_comment_change", args=[comment.pk]), {"text": "What a bore!"}
    )

    comment.refresh_from_db()
    assert comment.text == "What a sky!"
    assert as_staff.get(reverse("admin:social_comment_add")).status_code == 403


def test_one_taken_away_is_no_longer_counted(as_staff: Client) -> None:
    photo = make_photo()
    comment = make_comment(photo)

    as_staff.post(reverse("admin:social_comment_delete", args=[comment.pk]), {"post": "yes"})

    photo.refresh_from_db()
    assert photo.comment_count == 0
    assert not Comment.objects.exists()


def test_many_taken_away_are_no_longer_counted(as_staff: Client) -> None:
    photo = make_photo()
    comments = [make_comment(photo) for _ in range(3)]

    as_staff.post(
        reverse("admin:social_comment_changelist"),
        {
            "action": "delete_selected",
            "post": "yes",
            "_selected_action": [str(comment.pk) for comment in comments[:2]],
        },
    )

    photo.refresh_from_db()
    assert photo.comment_count == 1
