"""What people do with photos."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from pytest_django import Settings

from apps.accounts.services import delete_account
from apps.messaging import Job
from apps.photos import selectors, services
from apps.photos.exceptions import (
    AlreadyUploaded,
    EmptyFile,
    FileTooLarge,
    NotAPicture,
    NotConfirmed,
    PhotoError,
)
from apps.photos.models import DeletedPhoto, Photo
from tests.support.accounts import make_user
from tests.support.dependencies import is_watching
from tests.support.messaging import run_jobs
from tests.support.photos import files_of, make_original, make_photo
from tests.support.pictures import make_picture

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


def stored(photo: Photo) -> bytes:
    return Path(photo.original.path).read_bytes()


# --- Uploading -----------------------------------------------------------------------------------
def test_an_upload_keeps_the_original_and_queues_its_development(media: Path) -> None:
    ada = make_user("ada")
    content = make_picture(size=(64, 48))

    photo = services.upload_photo(
        owner=ada, original=make_original("Harbour.JPG", content=content), title="Harbour"
    )

    photo.refresh_from_db()
    assert (photo.owner, photo.title, photo.original_name) == (ada, "Harbour", "Harbour.JPG")
    assert (photo.state, photo.format, photo.bytes) == ("queued", "jpeg", len(content))
    assert photo.published_at is None
    assert files_of(media / "originals") == [f"{photo.sha256[:2]}/{photo.sha256}.jpeg"]
    assert stored(photo) == content
    job = Job.objects.get()
    assert (job.task, job.queue) == ("photos.make_renditions", "images")
    assert job.arguments == {"photo_id": str(photo.pk)}


def test_who_has_not_confirmed_publishes_nothing() -> None:
    dan = make_user("dan", confirmed=False)

    with pytest.raises(NotConfirmed, match="Confirm your address"):
        services.upload_photo(owner=dan, original=make_original())
    with pytest.raises(NotConfirmed):
        services.upload_photos(owner=dan, originals=[])

    assert not Photo.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"just some words",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7 something",
        b"<?php system($_GET['c']);",
        b"\x00" * 100,
    ],
)
def test_what_is_no_picture_is_refused_whatever_its_name(content: bytes) -> None:
    with pytest.raises(NotAPicture, match="no picture"):
        services.upload_photo(owner=make_user(), original=make_original(content=content))

    assert not Photo.objects.exists()


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(EmptyFile, match="empty"):
        services.upload_photo(owner=make_user(), original=make_original(content=b""))


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(settings: Settings) -> None:
    ada, original = make_user("ada"), make_original()
    settings.PHOTO_MAX_BYTES = original.size

    services.upload_photo(owner=ada, original=original)
    settings.PHOTO_MAX_BYTES -= 1

    with pytest.raises(FileTooLarge, match="too large: at most"):
        services.upload_photo(owner=make_user(), original=original)


def test_the_same_picture_again_is_refused_with_the_photo_that_it_repeats() -> None:
    ada, original = make_user("ada"), make_original()
    first = services.upload_photo(owner=ada, original=original, title="Harbour")

    with pytest.raises(AlreadyUploaded, match="“Harbour”") as refusal:
        services.upload_photo(owner=ada, original=original)

    assert refusal.value.photo == first


def test_what_somebody_else_has_is_nobodys_business(media: Path) -> None:
    original = make_original()
    first = services.upload_photo(owner=make_user("ada"), original=original)

    second = services.upload_photo(owner=make_user("ben"), original=original)

    assert first.original.name == second.original.name
    assert len(files_of(media / "originals")) == 1


def test_the_rest_of_a_write_that_was_killed_is_written_anew() -> None:
    original = make_original()
    content = original.read()
    digest = sha256(content).hexdigest()
    default_storage.save(f"{digest[:2]}/{digest}.jpeg", ContentFile(content[:100]))

    photo = services.upload_photo(owner=make_user(), original=original)

    assert stored(photo) == content


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("harbour.jpg", "harbour.jpg"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\ada\harbour.jpg", "harbour.jpg"),
        ("har\x00bour\n.jpg", "harbour.jpg"),
        ("…/Zürich 🏔.jpg", "Zürich 🏔.jpg"),
        ("a" * 300 + ".jpg", "a" * 255),
        ("", "photo"),
        (None, "photo"),
        ("..", ".."),
    ],
)
def test_the_name_of_a_file_is_for_people_only(name: str | None, kept: str) -> None:
    assert services.clean_name(name) == kept


def test_a_refused_file_does_not_undo_the_others(settings: Settings) -> None:
    ada, twin = make_user("ada"), make_original("twin.jpg")
    existing = services.upload_photo(owner=ada, original=twin, title="Twin")
    files = [
        make_original("one.jpg"),
        make_original("notes.txt", content=b"no picture"),
        twin,
        make_original("two.jpg"),
    ]

    upload = services.upload_photos(
        owner=ada, originals=files, title="Trip", description="By the sea"
    )

    assert [photo.original_name for photo in upload.photos] == ["one.jpg", "two.jpg"]
    assert {photo.title for photo in upload.photos} == {"Trip"}
    assert {photo.description for photo in upload.photos} == {"By the sea"}
    assert [(refusal.name, refusal.photo) for refusal in upload.refused] == [
        ("notes.txt", None),
        ("twin.jpg", existing),
    ]
    assert Photo.objects.count() == Job.objects.count() == 3


def test_the_files_too_many_are_refused_by_name(settings: Settings) -> None:
    settings.PHOTOS_PER_UPLOAD = 2
    files = [make_original(f"{number}.jpg") for number in range(4)]

    upload = services.upload_photos(owner=make_user(), originals=files)

    assert [photo.original_name for photo in upload.photos] == ["0.jpg", "1.jpg"]
    assert [refusal.name for refusal in upload.refused] == ["2.jpg", "3.jpg"]
    assert "At most 2 photos" in upload.refused[0].reason


def test_a_hundred_photos_in_one_upload() -> None:
    files = [make_original(f"{number}.jpg") for number in range(100)]

    upload = services.upload_photos(owner=make_user(), originals=files)

    assert len(upload.photos) == Photo.objects.count() == Job.objects.count() == 100
    assert upload.refused == []


@pytest.mark.django_db(transaction=True)
def test_of_two_uploads_of_one_picture_at_once_one_is_taken() -> None:
    ada, content = make_user("ada"), make_picture()

    def upload(_: int) -> str:
        try:
            original = make_original(content=content)
            return str(services.upload_photo(owner=ada, original=original).pk)
        except AlreadyUploaded as refusal:
            return f"twin of {refusal.photo.pk}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(upload, range(4)))

    photo = Photo.objects.get()
    assert answers == sorted([str(photo.pk), *[f"twin of {photo.pk}"] * 3])
    assert stored(photo) == content
    assert Job.objects.count() == 1


# --- Editing -------------------------------------------------------------------------------------
def test_an_edit_says_something_else() -> None:
    photo = make_photo(title="Harbor")

    services.edit_photo(photo=photo, title="Harbour", description="At dawn", alt="Boats")

    photo.refresh_from_db()
    assert (photo.title, photo.description, photo.alt) == ("Harbour", "At dawn", "Boats")


def test_an_edit_that_does_not_fit_changes_nothing() -> None:
    photo = make_photo(title="Harbour")

    with pytest.raises(ValidationError):
        services.edit_photo(photo=photo, title="x" * 121, description="", alt="")

    photo.refresh_from_db()
    assert photo.title == "Harbour"


def test_an_edit_does_not_write_over_what_a_worker_writes_meanwhile() -> None:
    photo = make_photo(state="developing")
    Photo.objects.filter(pk=photo.pk).update(state="failed", reason="damaged")

    services.edit_photo(photo=photo, title="Harbour", description="", alt="")

    photo.refresh_from_db()
    assert (photo.state, photo.title) == ("failed", "Harbour")


# --- Developing again, deleting -------------------------------------------------------------------
@pytest.mark.parametrize("state", ["failed", "ready", "developing"])
def test_a_photo_can_be_developed_again(state: str) -> None:
    photo = make_photo(state=state)

    services.develop_again(photo=photo)

    photo.refresh_from_db()
    assert (photo.state, photo.reason) == ("queued", "")
    assert Job.objects.get().arguments == {"photo_id": str(photo.pk)}


def test_a_deleted_photo_is_gone_at_once_and_its_files_after_the_commit(
    media: Path,
) -> None:
    photo = services.upload_photo(owner=make_user(), original=make_original())
    Job.objects.all().delete()

    services.delete_photo(photo=photo)

    assert not Photo.objects.exists()
    assert len(files_of(media / "originals")) == 1
    run_jobs()
    assert files_of(media / "originals") == []


def test_an_original_stays_while_somebody_else_has_it() -> None:
    original = make_original()
    first = services.upload_photo(owner=make_user(), original=original)
    second = services.upload_photo(owner=make_user(), original=original)
    Job.objects.all().delete()

    services.delete_photo(photo=first)
    run_jobs()

    assert Path(second.original.path).exists()
    services.delete_photo(photo=second)
    run_jobs()
    assert not Path(second.original.path).exists()


@pytest.mark.waived("DELETE", "accounts_user", because="past the services, to see what is left")
@pytest.mark.waived("DELETE", "photos_photo", because="past the services, to see what is left")
def test_the_photos_of_a_deleted_person_leave_their_names_behind() -> None:
    ada = make_user("ada")
    photo = services.upload_photo(owner=ada, original=make_original())

    ada.delete()

    assert DeletedPhoto.objects.get().original == photo.original.name


# --- Counts --------------------------------------------------------------------------------------
def test_counts_go_up_and_down_but_never_below_nothing() -> None:
    photo = make_photo()

    services.change_like_count(photo_id=photo.pk, by=1)
    services.change_like_count(photo_id=photo.pk, by=1)
    services.change_like_count(photo_id=photo.pk, by=-1)
    services.change_comment_count(photo_id=photo.pk, by=-1)
    services.change_like_count(photo_id=uuid4(), by=1)

    photo.refresh_from_db()
    assert (photo.like_count, photo.comment_count) == (1, 0)


def test_every_refusal_is_one_of_ours() -> None:
    assert issubclass(AlreadyUploaded, PhotoError)
    assert str(NotAPicture()).endswith("AVIF.")


# --- What is shown is true ------------------------------------------------------------------------
def test_news_are_told_when_the_transaction_commits() -> None:
    owner = make_user()

    with transaction.atomic():
        services.upload_photo(owner=owner, original=make_original())
        hooks = [hook for _, hook, *_ in connection.run_on_commit]

    # The bell of the job, the tags of the cache, the news for who is looking.
    assert len([hook for hook in hooks if not is_watching(hook)]) == 3


def test_no_page_shows_what_a_service_has_changed() -> None:
    ada = make_user("ada")
    older, photo, newer = make_photo(ada), make_photo(ada), make_photo(ada)
    look_at_everything(photo)

    services.edit_photo(photo=photo, title="Harbour", description="", alt="")
    look_at_everything(photo)
    services.change_like_count(photo_id=photo.pk, by=1)
    look_at_everything(photo)
    services.change_comment_count(photo_id=photo.pk, by=1)
    look_at_everything(photo)
    services.develop_again(photo=newer)
    look_at_everything(photo)
    services.delete_photo(photo=older)
    look_at_everything(photo)
    delete_account(person=ada)


def look_at_everything(photo: Photo) -> None:
    from apps.photos import widgets

    assert photo.published_at is not None
    page = selectors.list_stream()
    widgets.card.each(page.entries)
    selectors.list_stream_of(owner_id=photo.owner_id)
    selectors.find_details(pk=photo.pk)
    selectors.find_neighbours(owner_id=photo.owner_id, published_at=photo.published_at, pk=photo.pk)
    widgets.popular(days=100_000 // 100)
    widgets.numbers()
    widgets.byline(owner_id=photo.owner_id)
