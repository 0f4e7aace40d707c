"""An edited picture as an image worker makes it: real pixels, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps import messaging, thumbnails
from apps.messaging import Job
from apps.photos import processing, selectors, services, tasks
from apps.photos.models import Photo, ReplacedSet
from apps.thumbnails import NO_EDITS, Crop, Edits
from tests.support import pictures
from tests.support.accounts import make_user
from tests.support.messaging import run_jobs
from tests.support.photos import files_of, make_original
from tests.support.pictures import BLUE, GREEN, RED, WHITE, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

TURNED = Edits(turns=1)
UPSIDE_DOWN = Edits(turns=2)
CROPPED = Edits(crop=Crop(left=0, top=0, width=0.5, height=1))


@pytest.fixture
def photo() -> Photo:
    """A published one of 800 x 600 pixels."""
    original = make_original(content=make_picture(size=(800, 600)))
    photo = services.upload_photo(owner=make_user(), original=original)
    processing.develop(photo)
    photo.refresh_from_db()
    return photo


def edit(photo: Photo, edits: Edits) -> None:
    photo.refresh_from_db()
    services.edit_picture(photo=photo, edits=edits, version=photo.edits_version)
    photo.refresh_from_db()


def edited(photo: Photo, edits: Edits) -> Photo:
    edit(photo, edits)
    processing.apply_edits(photo)
    photo.refresh_from_db()
    return photo


def file_of(photo: Photo, name: str, media: Path) -> Path:
    return media / "renditions" / str(photo.renditions[name]["file"])


def folders(media: Path) -> set[str]:
    return {name.rpartition("/")[0] for name in files_of(media / "renditions")}


def meanwhile(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object]) -> None:
    """Do something once, just before a worker publishes what it has made."""
    publish = thumbnails.publish

    def first(step: thumbnails.FirstLight, key: str) -> dict[str, str]:
        monkeypatch.setattr(thumbnails, "publish", publish)
        what()
        return publish(step, key)

    monkeypatch.setattr(thumbnails, "publish", first)


# --- What is seen ---------------------------------------------------------------------------------
def test_the_row_and_the_pixels_show_the_edited_picture(photo: Photo, media: Path) -> None:
    published_at, hash_before = photo.published_at, photo.thumbhash

    edited(photo, TURNED)

    assert (photo.state, photo.width, photo.height) == ("ready", 600, 800)
    assert (photo.edits, photo.wanted_edits) == ({"turns": 1}, None)
    assert photo.published_at == published_at
    assert photo.thumbhash != hash_before
    corners = pictures.corners(file_of(photo, "640.webp", media)).values()
    for seen, colour in zip(corners, (BLUE, RED, WHITE, GREEN), strict=True):
        assert all(abs(a - b) < 24 for a, b in zip(seen, colour, strict=True))


def test_pages_show_the_edited_picture_and_know_its_shape(photo: Photo) -> None:
    address = photo.get_absolute_url()
    before = Client().get(address).content.decode()

    edited(photo, TURNED)

    page = Client().get(address).content.decode()
    assert 'width="800" height="600"' in before
    assert 'width="600" height="800"' in page
    assert photo.renditions["640.webp"]["file"] in page
    assert "data-changing" not in page
    assert photo.renditions["640.webp"]["file"] in Client().get("/").content.decode()


def test_a_reverted_picture_is_as_it_was_before(photo: Photo, media: Path) -> None:
    before = photo.renditions
    edited(photo, CROPPED)

    edited(photo, NO_EDITS)

    assert photo.renditions == before
    assert (photo.width, photo.height, photo.edits) == (800, 600, {})
    assert all(file_of(photo, name, media).exists() for name in photo.renditions)


def test_edits_do_not_add_up(photo: Photo) -> None:
    edited(photo, TURNED)

    edited(photo, CROPPED)

    assert (photo.width, photo.height) == (400, 600)


def test_developing_again_keeps_the_edits(photo: Photo) -> None:
    edited(photo, TURNED)
    before = photo.renditions

    services.develop_again(photo=photo)
    processing.develop(photo)

    photo.refresh_from_db()
    assert (photo.renditions, photo.edits) == (before, {"turns": 1})


def test_developing_again_makes_the_edits_that_were_still_to_come(photo: Photo) -> None:
    edit(photo, TURNED)

    services.develop_again(photo=photo)
    run_jobs()

    photo.refresh_from_db()
    assert (photo.state, photo.edits, photo.wanted_edits) == ("ready", {"turns": 1}, None)
    assert (photo.width, photo.height) == (600, 800)


def test_the_job_makes_what_the_service_queued(photo: Photo) -> None:
    edit(photo, TURNED)

    run_jobs(queue="images")

    photo.refresh_from_db()
    assert photo.edits == {"turns": 1}


# --- What is left ---------------------------------------------------------------------------------
def test_the_old_renditions_stay_for_a_moment_and_are_removed(photo: Photo, media: Path) -> None:
    old = photo.key

    edited(photo, TURNED)

    assert folders(media) == {old, photo.key}
    tasks.remove_replaced()
    assert folders(media) == {old, photo.key}
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))
    tasks.remove_replaced()
    assert folders(media) == {photo.key}
    assert not ReplacedSet.objects.exists()


def test_what_is_shown_again_is_not_removed(photo: Photo, media: Path) -> None:
    original = photo.key
    edited(photo, TURNED)
    edited(photo, NO_EDITS)
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))

    tasks.remove_replaced()

    assert folders(media) == {original}
    assert not ReplacedSet.objects.exists()


def test_what_will_be_shown_again_is_not_removed(photo: Photo, media: Path) -> None:
    original = photo.key
    edited(photo, TURNED)
    edit(photo, NO_EDITS)
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))

    tasks.remove_replaced()

    assert folders(media) == {original, photo.key}


def test_all_sets_of_a_deleted_photo_go_with_it(photo: Photo, media: Path) -> None:
    edited(photo, TURNED)
    edited(photo, CROPPED)
    edit(photo, UPSIDE_DOWN)

    services.delete_photo(photo=photo)
    run_jobs()

    assert files_of(media) == []
    assert not ReplacedSet.objects.exists()


def test_a_replaced_set_goes_even_when_its_photo_has_gone_by_other_ways(
    photo: Photo, media: Path
) -> None:
    edited(photo, TURNED)
    Photo.objects.filter(pk=photo.pk).delete()
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))

    tasks.remove_replaced()
    tasks.sweep_deleted()

    assert files_of(media) == []


# --- Meanwhile ------------------------------------------------------------------------------------
def test_a_picture_edited_again_while_it_was_made_shows_the_last_edits(
    photo: Photo, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(photo, TURNED)
    first = photo.key_of(TURNED)
    meanwhile(monkeypatch, lambda: edit(Photo.objects.get(), UPSIDE_DOWN))

    processing.apply_edits(Photo.objects.get())

    photo.refresh_from_db()
    assert (photo.edits, photo.wanted_edits) == ({}, {"turns": 2})
    processing.apply_edits(photo)
    photo.refresh_from_db()
    assert photo.edits == {"turns": 2}
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))
    tasks.remove_replaced()
    assert first not in folders(media)
    assert folders(media) == {photo.key}


def test_edits_taken_back_while_they_were_made_are_not_shown(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = photo.renditions
    edit(photo, TURNED)
    meanwhile(monkeypatch, lambda: edit(Photo.objects.get(), NO_EDITS))

    processing.apply_edits(Photo.objects.get())

    photo.refresh_from_db()
    assert (photo.renditions, photo.edits, photo.wanted_edits) == (before, {}, None)


def test_a_photo_deleted_while_its_edits_were_made_leaves_nothing(
    photo: Photo, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(photo, TURNED)

    def delete() -> None:
        services.delete_photo(photo=Photo.objects.get())
        run_jobs(queue="default")

    meanwhile(monkeypatch, delete)
    processing.apply_edits(photo)

    assert files_of(media) == []


@pytest.mark.parametrize("is_on_time", [True, False])
def test_a_development_that_began_before_an_edit_does_not_undo_it(
    is_on_time: bool, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.develop_again(photo=photo)
    stale = Photo.objects.get()
    if not is_on_time:
        processing.develop(Photo.objects.get())
        edit(photo, TURNED)
        services.develop_again(photo=photo)

    processing.develop(stale)

    photo.refresh_from_db()
    assert photo.state == ("ready" if is_on_time else "developing")
    assert photo.edits == {}
    processing.develop(Photo.objects.get())
    photo.refresh_from_db()
    assert photo.edits == ({} if is_on_time else {"turns": 1})


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_the_same_edits_make_one_set(photo: Photo, media: Path) -> None:
    old = photo.key
    edit(photo, TURNED)

    def work(_: int) -> None:
        try:
            processing.apply_edits(Photo.objects.get())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    photo.refresh_from_db()
    ReplacedSet.objects.update(replaced_at=timezone.now() - timedelta(minutes=6))
    tasks.remove_replaced()
    assert old not in folders(media)
    assert folders(media) == {photo.key}


# --- What cannot be done --------------------------------------------------------------------------
def test_edits_that_cannot_be_made_leave_the_picture_and_say_why(
    photo: Photo, settings: Settings
) -> None:
    before = photo.renditions
    edit(photo, TURNED)
    settings.PHOTO_MAX_PIXELS = 1000

    processing.apply_edits(photo)

    photo.refresh_from_db()
    assert (photo.state, photo.renditions, photo.edits) == ("ready", before, {})
    assert (photo.wanted_edits, photo.edits_reason) == (None, "too_many_pixels")
    details = selectors.find_details(pk=photo.pk)
    assert details is not None
    assert details.edits_reason_text.startswith("The picture has more pixels")


def test_an_original_that_is_lost_can_be_edited_no_more(photo: Photo) -> None:
    Path(photo.original.path).unlink()
    edit(photo, TURNED)

    processing.apply_edits(photo)

    photo.refresh_from_db()
    assert (photo.state, photo.edits_reason) == ("ready", Photo.ORIGINAL_MISSING)
    with pytest.raises(messaging.Permanent, match=Photo.ORIGINAL_MISSING):
        processing.preview(photo, TURNED)


def test_a_job_that_was_given_up_leaves_the_picture_and_says_so(photo: Photo) -> None:
    edit(photo, TURNED)

    processing.give_up_edits(Job.objects.get(task="photos.apply_edits"))

    photo.refresh_from_db()
    assert (photo.state, photo.edits_reason) == ("ready", Photo.GIVEN_UP)


def test_a_failure_of_earlier_edits_does_not_take_the_later_away(photo: Photo) -> None:
    edit(photo, TURNED)
    earlier = photo.edits_version
    edit(photo, UPSIDE_DOWN)

    processing.fail_edits(photo_id=photo.pk, version=earlier, reason=Photo.GIVEN_UP)

    photo.refresh_from_db()
    assert (photo.wanted_edits, photo.edits_reason) == ({"turns": 2}, "")


def test_a_job_of_a_photo_that_is_gone_has_nothing_to_give_up(photo: Photo) -> None:
    edit(photo, TURNED)
    job = Job.objects.get(task="photos.apply_edits")
    services.delete_photo(photo=photo)

    processing.give_up_edits(job)
    tasks.apply_edits(photo_id=job.arguments["photo_id"])


# --- Previews -------------------------------------------------------------------------------------
def test_a_preview_is_a_small_picture_and_changes_nothing(photo: Photo, media: Path) -> None:
    before = files_of(media)

    preview = tasks.preview(photo_id=str(photo.pk), edits=TURNED.as_json())

    assert pictures.read(preview).size == (480, 640)
    assert preview[8:12] == b"WEBP"
    assert files_of(media) == before
    photo.refresh_from_db()
    assert (photo.edits, photo.wanted_edits) == ({}, None)


def test_a_preview_looks_as_the_picture_will(photo: Photo, media: Path) -> None:
    crop = Crop(left=0.1, top=0.2, width=0.5, height=0.5)
    edits = Edits(turns=3, saturation=-40, warmth=60, crop=crop)

    preview = pictures.read(processing.preview(photo, edits)).convert("RGB")

    edited(photo, edits)
    shown = pictures.read(file_of(photo, "640.webp", media)).convert("RGB")
    assert preview.size == shown.size
    small = [image.resize((8, 8)).tobytes() for image in (preview, shown)]
    assert max(abs(a - b) for a, b in zip(*small, strict=True)) < 12


def test_there_is_no_preview_of_a_photo_that_is_gone() -> None:
    with pytest.raises(messaging.Permanent, match=Photo.ORIGINAL_MISSING):
        tasks.preview(photo_id=str(uuid4()), edits={})
