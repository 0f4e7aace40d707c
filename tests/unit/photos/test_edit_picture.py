"""Editing a picture as a service: what is written, what is queued, and who is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.messaging import Job, Priority
from apps.photos import selectors, services, tasks
from apps.photos.exceptions import EditedMeanwhile, NotDeveloped
from apps.photos.models import DeletedPhoto, Photo, ReplacedSet
from apps.thumbnails import NO_EDITS, Edits
from tests.support.photos import make_photo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
TURNED = Edits(turns=1)


def edit(photo: Photo, edits: Edits, version: int = 0) -> Photo:
    return services.edit_picture(photo=photo, edits=edits, version=version)


def test_the_picture_stays_until_the_edited_one_is_made() -> None:
    photo = make_photo(width=3000, height=2000)
    before = selectors.find_details(pk=photo.pk)
    assert before is not None

    edit(photo, TURNED)

    after = selectors.find_details(pk=photo.pk)
    assert after is not None
    assert (after.state, after.sizes, after.width) == ("ready", before.sizes, 3000)
    assert (before.is_changing, after.is_changing) == (False, True)
    photo.refresh_from_db()
    assert (photo.edits, photo.wanted_edits, photo.edits_version) == ({}, {"turns": 1}, 1)
    job = Job.objects.get()
    assert (job.task, job.queue) == ("photos.apply_edits", "images")
    assert (job.arguments, job.about) == ({"photo_id": str(photo.pk)}, f"photo:{photo.pk}")
    assert job.priority == Priority.URGENT


def test_saving_what_is_so_already_costs_nothing() -> None:
    photo = make_photo(edits={"turns": 1}, edits_version=3)

    edit(photo, TURNED, version=3)

    photo.refresh_from_db()
    assert (photo.wanted_edits, photo.edits_version) == (None, 3)
    assert not Job.objects.exists()


def test_saving_what_failed_tries_it_again() -> None:
    photo = make_photo(edits_reason="too_slow", edits_version=1)

    edit(photo, TURNED, version=1)

    photo.refresh_from_db()
    assert (photo.edits_reason, photo.wanted_edits) == ("", {"turns": 1})
    assert Job.objects.count() == 1


def test_a_reason_goes_when_the_picture_is_left_as_it_is() -> None:
    photo = make_photo(edits_reason="too_slow")

    edit(photo, NO_EDITS)

    photo.refresh_from_db()
    assert (photo.edits_reason, photo.wanted_edits) == ("", None)
    assert not Job.objects.exists()


def test_who_has_seen_an_older_version_overwrites_nothing() -> None:
    photo = make_photo()
    edit(photo, TURNED)

    with pytest.raises(EditedMeanwhile):
        edit(photo, Edits(turns=2))

    photo.refresh_from_db()
    assert photo.wanted_edits == {"turns": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_is_stale")
def test_of_two_who_save_at_once_one_is_told() -> None:
    photo = make_photo()

    def save(turns: int) -> bool:
        try:
            edit(photo, Edits(turns=turns))
        except EditedMeanwhile:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        saved = list(pool.map(save, (1, 2)))

    photo.refresh_from_db()
    assert sorted(saved) == [False, True]
    assert photo.wanted_edits == {"turns": 1 + saved.index(True)}


@pytest.mark.parametrize("state", ["queued", "developing", "failed"])
def test_only_a_picture_that_can_be_seen_is_edited(state: str) -> None:
    photo = make_photo(state=state)

    with pytest.raises(NotDeveloped):
        edit(photo, TURNED)

    assert not Job.objects.exists()


def test_edits_that_were_wanted_for_a_moment_leave_nothing_behind() -> None:
    photo = make_photo()
    edit(photo, TURNED)

    edit(photo, Edits(turns=2), version=1)

    assert ReplacedSet.objects.get().key == photo.key_of(TURNED)


def test_edits_taken_back_before_they_were_made_need_no_work() -> None:
    photo = make_photo()
    edit(photo, TURNED)

    edit(photo, NO_EDITS, version=1)

    details = selectors.find_details(pk=photo.pk)
    assert details is not None
    assert not details.is_changing
    assert Job.objects.count() == 1  # that of the first, which will find nothing to do


def test_a_photo_that_is_gone_is_not_edited() -> None:
    photo = make_photo()
    services.delete_photo(photo=Photo.objects.get(pk=photo.pk))

    with pytest.raises(Photo.DoesNotExist):
        edit(photo, TURNED)


def test_a_deleted_photo_remembers_the_set_that_a_worker_may_be_making() -> None:
    photo = make_photo()
    shown = photo.key
    edit(photo, TURNED)

    services.delete_photo(photo=Photo.objects.get(pk=photo.pk))

    left = DeletedPhoto.objects.get()
    assert left.edits == {"turns": 1}
    assert left.keys >= {shown, photo.key_of(TURNED), photo.key_of(NO_EDITS)}


def test_a_deleted_photo_remembers_the_edits_that_pages_showed() -> None:
    photo = make_photo(edits={"turns": 3})

    services.delete_photo(photo=photo)

    assert DeletedPhoto.objects.get().edits == {"turns": 3}


def test_the_jobs_of_edits_say_how_they_are_retried() -> None:
    assert tasks.apply_edits.options.on_dead == "apps.photos.processing.give_up_edits"
    assert tasks.remove_replaced.options.every is not None
    assert (tasks.preview.name, tasks.preview.queue) == ("photos.preview", "previews")
