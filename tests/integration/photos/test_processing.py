"""What an image worker does: real pictures, developed in the darkroom's own process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from apps import messaging, thumbnails
from apps.messaging import Job
from apps.photos import processing, selectors, services, tasks
from apps.photos.models import DeletedPhoto, Photo
from apps.photos.processing import steps
from tests.support.accounts import make_user
from tests.support.messaging import make_due, run_jobs
from tests.support.photos import files_of, make_original, make_photo
from tests.support.pictures import CAMERA, SECRET_PLACE, Format, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

SMALL = ("96.jpg", "96.webp", "320.jpg", "320.webp", "640.jpg", "640.webp")


def upload(content: bytes | None = None, **options: object) -> Photo:
    original = make_original(content=content, **options)  # type: ignore[arg-type]
    return services.upload_photo(owner=make_user(), original=original)


def developed(photo: Photo) -> Photo:
    processing.develop(photo)
    photo.refresh_from_db()
    return photo


# --- A picture ------------------------------------------------------------------------------------
def test_a_photo_becomes_its_renditions_and_its_row_tells_them(media: Path) -> None:
    photo = developed(upload(make_picture(size=(800, 600), camera=CAMERA, gps=True)))

    assert (photo.state, photo.reason) == ("ready", "")
    assert (photo.width, photo.height, photo.format) == (800, 600, "jpeg")
    assert photo.published_at is not None
    assert photo.placeholder.startswith("data:image/webp;base64,")
    assert photo.thumbhash
    assert set(photo.renditions) >= set(SMALL)
    stored = [rendition["file"] for rendition in photo.renditions.values()]
    assert files_of(media / "renditions") == sorted(stored)


def test_camera_data_is_kept_and_the_place_is_not() -> None:
    photo = developed(upload(make_picture(size=(300, 200), camera=CAMERA, gps=True)))

    assert photo.camera["model"] == "LEICA Q2"
    assert photo.camera["iso"] == 400
    assert "taken_at" not in photo.camera
    assert photo.taken_at == datetime(2026, 5, 17, 12, 3, 22, tzinfo=UTC)
    everything = str(Photo.objects.filter(pk=photo.pk).values().get())
    assert str(SECRET_PLACE[0][0]) not in everything


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"])
def test_every_format_that_is_promised_develops(kind: Format) -> None:
    photo = developed(upload(make_picture(kind, size=(200, 150))))

    assert (photo.state, photo.format, photo.width, photo.height) == ("ready", kind, 200, 150)


def test_first_light_is_seen_before_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload(make_picture(size=(1500, 1000)))
    seen: list[tuple[str, int, bool]] = []
    publish = thumbnails.publish

    def watch(step: thumbnails.FirstLight, key: str) -> dict[str, str]:
        row = Photo.objects.get(pk=photo.pk)
        seen.append((row.state, len(row.renditions), bool(row.placeholder)))
        return publish(step, key)

    monkeypatch.setattr(thumbnails, "publish", watch)
    developed(photo)

    assert seen[0] == ("developing", 0, False)
    state, sizes, has_placeholder = seen[1]
    assert (state, has_placeholder) == ("developing", True)
    assert 0 < sizes < len(photo.renditions)


# --- Twice is once --------------------------------------------------------------------------------
def test_a_photo_that_is_ready_is_left_alone() -> None:
    photo = developed(upload())
    published_at = photo.published_at

    developed(photo)

    assert (photo.state, photo.published_at) == ("ready", published_at)


def test_developed_again_it_keeps_its_place_and_its_files(media: Path) -> None:
    photo = developed(upload())
    before = (photo.published_at, photo.renditions)
    times = modified(media / "renditions")

    services.develop_again(photo=photo)
    developed(photo)

    assert (photo.published_at, photo.renditions) == before
    assert modified(media / "renditions") == times


def test_a_rendition_that_is_lost_is_made_again(media: Path) -> None:
    photo = developed(upload())
    (media / "renditions" / photo.renditions["96.webp"]["file"]).unlink()

    services.develop_again(photo=photo)
    developed(photo)

    assert len(files_of(media / "renditions")) == len(photo.renditions)


def modified(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in files_of(folder)}


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_photo_make_one_set(media: Path) -> None:
    photo = upload(make_picture(size=(700, 500)))

    def work(_: int) -> None:
        try:
            processing.develop(Photo.objects.get(pk=photo.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    photo.refresh_from_db()
    assert photo.state == "ready"
    stored = [rendition["file"] for rendition in photo.renditions.values()]
    assert files_of(media / "renditions") == sorted(stored)


# --- Pictures that cannot be developed ------------------------------------------------------------
def bomb() -> bytes:
    return make_picture("png", size=(3000, 3000), mode="L")


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (make_picture(size=(300, 200))[:2000], "damaged", "damaged or incomplete"),
        (make_picture("png", size=(300, 200))[:500], "damaged", "damaged or incomplete"),
        (b"\xff\xd8\xff\xe0" + b"lies" * 500, "damaged", "damaged or incomplete"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "damaged", "damaged or incomplete"),
        (bomb(), "too_many_pixels", "more pixels"),
    ],
    ids=["truncated", "truncated png", "not what it says", "zeros", "bomb"],
)
def test_a_bad_picture_fails_with_words_for_its_owner(
    content: bytes, reason: str, words: str, settings: Settings
) -> None:
    settings.PHOTO_MAX_PIXELS = 4_000_000
    photo = upload(content)

    ended = run_jobs()

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("failed", reason)
    assert words in selectors.describe(photo).reason_text
    # An outcome, not an error: nothing for the operators to look at.
    assert [job.state for job in ended] == ["done"]


def test_the_photo_after_a_bad_one_is_not_delayed() -> None:
    bad, good = upload(make_picture()[:900]), upload()

    run_jobs()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, good.state) == ("failed", "ready")


def test_a_lost_original_is_said_and_not_tried_for_ever() -> None:
    photo = upload()
    photo.original.delete(save=False)
    photo.original.name = Photo.objects.values_list("original", flat=True).get()

    run_jobs()

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("failed", "original_missing")
    assert "lost" in selectors.describe(photo).reason_text


def test_an_interrupted_development_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload()

    def interrupt(*args: object, **options: object) -> Iterator[thumbnails.FirstLight]:
        raise thumbnails.Refused(thumbnails.Reason.INTERRUPTED)
        yield

    with monkeypatch.context() as patch:
        patch.setattr(thumbnails, "develop", interrupt)
        run_jobs()
    photo.refresh_from_db()
    assert photo.state == "developing"

    make_due()
    run_jobs()

    photo.refresh_from_db()
    assert photo.state == "ready"


def test_a_job_that_is_given_up_is_said_on_the_page() -> None:
    photo = upload()
    job = Job.objects.get()

    processing.give_up(job)

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("failed", "given_up")
    assert "our side" in selectors.describe(photo).reason_text


def test_a_dead_job_that_staff_try_again_develops_the_photo() -> None:
    photo = upload()
    processing.give_up(Job.objects.get())

    run_jobs()

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("ready", "")


def test_a_photo_that_failed_by_itself_is_not_begun_again() -> None:
    photo = upload()
    processing.fail(photo_id=photo.pk, reason="damaged")

    run_jobs()

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("failed", "damaged")


def test_a_photo_that_became_ready_does_not_fail_afterwards() -> None:
    photo = developed(upload())

    processing.fail(photo_id=photo.pk, reason="given_up")

    photo.refresh_from_db()
    assert photo.state == "ready"


# --- Photos that vanish ---------------------------------------------------------------------------
def test_a_photo_deleted_while_its_job_waited_is_no_error(media: Path) -> None:
    services.delete_photo(photo=upload())

    ended = run_jobs()

    assert {job.state for job in ended} == {"done"}
    assert files_of(media) == []


@pytest.mark.parametrize("moment", [1, 2], ids=["before first light", "after it"])
def test_a_photo_deleted_while_it_develops_leaves_no_file(
    moment: int, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = upload(make_picture(size=(1500, 1000)))
    publish, calls = thumbnails.publish, Mock()

    def delete_meanwhile(step: thumbnails.FirstLight, key: str) -> dict[str, str]:
        calls()
        if calls.call_count == moment:
            services.delete_photo(photo=Photo.objects.get(pk=photo.pk))
            run_jobs(queue="default")
        return publish(step, key)

    monkeypatch.setattr(thumbnails, "publish", delete_meanwhile)
    processing.develop(photo)

    assert files_of(media / "renditions") == []


def test_what_a_killed_worker_wrote_for_a_deleted_photo_goes_with_the_next_sweep(
    media: Path,
) -> None:
    photo = developed(upload())
    copies = {name: (media / name).read_bytes() for name in files_of(media)}
    services.delete_photo(photo=photo)
    run_jobs()
    for name, content in copies.items():
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(content)

    tasks.sweep_deleted()

    assert files_of(media) == []
    assert DeletedPhoto.objects.exists()


def test_what_is_long_deleted_is_forgotten() -> None:
    photo = upload()
    services.delete_photo(photo=photo)
    DeletedPhoto.objects.update(deleted_at=timezone.now() - timedelta(days=2))

    assert processing.sweep_deleted() == 1
    assert not DeletedPhoto.objects.exists()
    assert processing.sweep_deleted() == 0


def test_the_sweep_takes_renditions_of_an_older_recipe_too(media: Path) -> None:
    photo = make_photo()
    old = media / "renditions" / photo.renditions["640.jpg"]["file"]
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    photo.owner.delete()

    processing.sweep_deleted()

    assert files_of(media) == []


def test_removing_files_of_an_unknown_photo_is_nothing() -> None:
    processing.remove_files(photo_id=uuid.uuid4())


# --- Odds ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("clock", "kept"),
    [
        (None, None),
        ("2026-05-17T14:03", "2026-05-17T14:03+00:00"),
        ("2026-05-17T14:03+02:00", "2026-05-17T14:03+02:00"),
        ("0001-01-01", None),
        ("9999-12-31", None),
    ],
)
def test_the_clock_of_a_camera_is_taken_with_salt(clock: str | None, kept: str | None) -> None:
    moment = steps._moment(datetime.fromisoformat(clock) if clock else None)

    assert moment == (datetime.fromisoformat(kept) if kept else None)


def test_an_original_that_is_elsewhere_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload()

    local = Path(photo.original.path)

    def no_path(self: Storage, name: str) -> str:
        raise NotImplementedError

    def open_remote(self: Storage, name: str, mode: str = "rb") -> ContentFile[bytes]:
        return ContentFile(local.read_bytes())

    backend = type(storages["default"])
    monkeypatch.setattr(backend, "path", no_path)
    monkeypatch.setattr(backend, "open", open_remote)

    with thumbnails.local_original(str(photo.original)) as copy:
        assert copy.read_bytes() == local.read_bytes()
        assert copy != local


def test_the_jobs_say_how_they_are_retried() -> None:
    assert tasks.make_renditions.options.queue == "images"
    assert tasks.make_renditions.options.on_dead == "apps.photos.processing.give_up"
    assert tasks.remove_files.options.queue == "default"
    assert isinstance(tasks.make_renditions.options.retry, messaging.Backoff)
