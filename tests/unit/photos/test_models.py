"""The row of a photo: what the database itself refuses, and what it remembers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import User
from apps.photos.models import DeletedPhoto, Photo

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RENDITIONS = {"640.webp": {"file": "r/640.webp", "width": 640, "height": 427}}


def person(name: str = "ada") -> User:
    return User.objects.create(username=name, email=f"{name}@example.org")


def row(owner: User, **values: object) -> Photo:
    sha256 = uuid.uuid4().hex * 2
    defaults: dict[str, object] = {
        "original": f"{sha256[:2]}/{sha256}.jpeg",
        "original_name": "harbour.jpg",
        "bytes": 9,
        "format": "jpeg",
        "sha256": sha256,
    }
    return Photo.objects.create(owner=owner, **{**defaults, **values})


def ready(owner: User, **values: object) -> Photo:
    defaults: dict[str, object] = {
        "state": Photo.State.READY,
        "width": 640,
        "height": 427,
        "renditions": RENDITIONS,
        "published_at": NOON,
    }
    return row(owner, **{**defaults, **values})


@pytest.mark.parametrize(
    "values",
    [
        {"state": "ready"},
        {"state": "ready", "width": 1, "height": 1, "renditions": RENDITIONS},
        {"state": "ready", "width": 1, "height": 1, "published_at": NOON},
        {"state": "failed"},
        {"state": "queued", "reason": "Damaged."},
        {"state": "lost"},
        {"bytes": 0},
    ],
)
def test_the_database_refuses_a_row_that_makes_no_sense(values: dict[str, object]) -> None:
    ada = person()

    with pytest.raises(IntegrityError), transaction.atomic():
        row(ada, **values)


def test_one_person_has_a_picture_once_and_two_people_may_have_the_same() -> None:
    ada, ben = person(), person("ben")
    first = row(ada)

    row(ben, sha256=first.sha256)

    with pytest.raises(IntegrityError), transaction.atomic():
        row(ada, sha256=first.sha256)


def test_a_photo_is_called_by_its_title_or_else_by_its_file() -> None:
    assert str(Photo(title="Harbour", original_name="dsc1.jpg")) == "Harbour"
    assert str(Photo(original_name="dsc1.jpg")) == "dsc1.jpg"


def test_its_state_says_whether_it_will_change_by_itself() -> None:
    assert Photo(state="queued").is_unfinished
    assert Photo(state="developing").is_unfinished
    assert not Photo(state="failed").is_unfinished
    assert not Photo(state="ready").is_unfinished
    assert Photo(state="ready").is_ready


def test_its_tags_cover_itself_and_the_lists_it_is_in() -> None:
    photo = row(person())

    assert photo.cache_tags() == [f"photo:{photo.pk}", "stream", f"stream:{photo.owner_id}"]


def test_the_order_of_the_stream_is_total_even_within_one_moment() -> None:
    ada = person()
    photos = [ready(ada, published_at=NOON) for _ in range(3)] + [
        ready(ada, published_at=NOON - timedelta(days=1))
    ]

    stream = list(Photo.objects.newest_first())

    assert set(stream[:3]) == set(photos[:3])
    for place, photo in enumerate(stream):
        assert photo.published_at is not None
        older = Photo.objects.older_than(photo.published_at, photo.pk).newest_first()
        newer = Photo.objects.newer_than(photo.published_at, photo.pk).newest_first()
        assert list(older) == stream[place + 1 :]
        assert list(newer) == stream[:place]


def test_a_page_deep_in_the_stream_comes_from_the_index_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = (
        Photo.objects.published()
        .older_than(NOON, uuid.UUID(int=1))
        .newest_first()
        .values("id")[:24]
        .explain()
    )

    assert "photo_stream" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("way", ["row", "queryset", "owner", "sql"])
def test_whatever_deletes_a_photo_its_files_are_remembered(way: str) -> None:
    ada = person()
    photo = row(ada)
    pk = photo.pk

    if way == "row":
        photo.delete()
    elif way == "queryset":
        Photo.objects.filter(pk=pk).delete()
    elif way == "owner":
        ada.delete()
    else:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM photos_photo WHERE id = %s", [pk])

    left = DeletedPhoto.objects.get()
    assert (left.pk, left.original, left.sha256) == (pk, photo.original.name, photo.sha256)
    assert str(left) == str(pk)


@pytest.mark.django_db(transaction=True)
def test_who_holds_a_content_keeps_others_from_it_until_the_end() -> None:
    sha256, held, free = "f" * 64, Event(), Event()

    def wait_for_it() -> None:
        try:
            held.wait(10)
            with transaction.atomic():
                Photo.objects.all().hold_content(sha256)
                free.set()
        finally:
            connection.close()

    other = Thread(target=wait_for_it)
    other.start()
    with transaction.atomic():
        Photo.objects.all().hold_content(sha256)
        held.set()
        was_free_meanwhile = free.wait(0.2)
    other.join(10)

    assert not was_free_meanwhile
    assert free.is_set()
