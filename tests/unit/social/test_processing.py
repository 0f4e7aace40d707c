from __future__ import annotations

import logging

import pytest

from apps.accounts.models import User
from apps.photos import selectors as photos
from apps.photos.models import Photo
from apps.social import processing, tasks
from tests.support.photos import make_photo
from tests.support.social import make_comment, make_like


@pytest.fixture
def photo(ada: User, transactional_db: None) -> Photo:
    photo = make_photo(ada)
    make_like(photo)
    make_comment(photo)
    return photo


def numbers(photo: Photo) -> tuple[int, int]:
    photo.refresh_from_db()
    return photo.like_count, photo.comment_count


def test_numbers_that_are_right_are_left_alone(photo: Photo) -> None:
    assert processing.mend_counts() == 0

    assert numbers(photo) == (1, 1)


def test_what_went_with_a_person_is_no_longer_counted(photo: Photo, ben: User) -> None:
    make_like(photo, person=ben)
    make_comment(photo, author=ben)
    ben.delete()
    assert numbers(photo) == (2, 2)

    assert processing.mend_counts() == 1

    assert numbers(photo) == (1, 1)


@pytest.mark.parametrize(("likes", "comments"), [(0, 1), (1, 0), (7, 9)])
def test_numbers_that_are_wrong_are_set_right(photo: Photo, likes: int, comments: int) -> None:
    Photo.objects.filter(pk=photo.pk).update(like_count=likes, comment_count=comments)
    other = make_photo()

    assert processing.mend_counts() == 1

    assert numbers(photo) == (1, 1)
    assert numbers(other) == (0, 0)


@pytest.mark.usefixtures("nothing_is_stale")
def test_what_pages_show_is_set_right_too(photo: Photo) -> None:
    Photo.objects.filter(pk=photo.pk).update(like_count=41)
    assert photos.find_details(pk=photo.pk).like_count == 41  # type: ignore[union-attr]

    processing.mend_counts()

    assert photos.find_details(pk=photo.pk).like_count == 1  # type: ignore[union-attr]


def test_the_log_says_that_something_was_wrong(
    photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tasks.mend_counts()
    assert "mended" not in caplog.text

    Photo.objects.filter(pk=photo.pk).update(like_count=41)
    tasks.mend_counts()

    assert "mended the numbers beside 1 photos" in caplog.text
