"""What people read when a photo is not taken."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.photos import exceptions
from apps.photos.models import Photo


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (exceptions.NotConfirmed(), "Confirm your address first: then you can publish."),
        (exceptions.EmptyFile(), "This file is empty."),
        (exceptions.NotAPicture(), "This is no picture of a kind that is taken"),
        (exceptions.AlreadyUploaded(Photo(title="Harbour")), "already: “Harbour”."),
        (exceptions.AlreadyUploaded(Photo(original_name="dsc1.jpg")), "already: “dsc1.jpg”."),
    ],
)
def test_each_problem_is_a_sentence(problem: exceptions.PhotoError, words: str) -> None:
    assert words in str(problem)


def test_limits_are_named_as_they_are_set(settings: Settings) -> None:
    settings.PHOTO_MAX_BYTES = 3 * 1024 * 1024
    settings.PHOTOS_PER_UPLOAD = 7

    assert "at most 3.0\xa0MB" in str(exceptions.FileTooLarge())
    assert "At most 7 photos are" in str(exceptions.TooManyFiles())
    settings.PHOTOS_PER_UPLOAD = 1
    assert "At most 1 photo is" in str(exceptions.TooManyFiles())


def test_a_refusal_of_one_file_is_not_a_refusal_of_the_person() -> None:
    refusals = {
        exceptions.EmptyFile,
        exceptions.FileTooLarge,
        exceptions.TooManyFiles,
        exceptions.NotAPicture,
        exceptions.AlreadyUploaded,
    }

    assert set(exceptions.Refused.__subclasses__()) == refusals
    assert not issubclass(exceptions.NotConfirmed, exceptions.Refused)
