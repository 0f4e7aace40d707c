"""The queue's side of photos: which queue, which waits, and what is called."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from apps import messaging, thumbnails
from apps.photos import processing
from apps.photos.models import Photo

logger = logging.getLogger(__name__)
# The darkroom keeps its own, shorter limit; this one is for what hangs around it.
TIME_LIMIT = 2 * settings.PHOTO_MAX_SECONDS + 30


@messaging.job(
    queue="images",
    retry=messaging.Backoff(first=5, limit=900, total=86400),
    time_limit=TIME_LIMIT,
    on_dead="apps.photos.processing.give_up",
    about="photo:{photo_id}",
)
def make_renditions(*, photo_id: str) -> None:
    photo = _find(photo_id)
    if photo is not None:
        processing.develop(photo)


@messaging.job(
    queue="images",
    retry=messaging.Backoff(first=5, limit=300, total=3600),
    time_limit=TIME_LIMIT,
    on_dead="apps.photos.processing.give_up_edits",
    priority=messaging.Priority.URGENT,
    about="photo:{photo_id}",
)
def apply_edits(*, photo_id: str) -> None:
    """Its owner looks at the old picture and waits for the new one."""
    photo = _find(photo_id)
    if photo is not None:
        processing.apply_edits(photo)


# A queue of its own, which the same workers take in turn with the other: a person who tries a
# slider does not wait behind five hundred uploads.
@messaging.answers(
    queue="previews", timeout=settings.PREVIEW_SECONDS, most=settings.PREVIEWS_AT_ONCE
)
def preview(*, photo_id: str, edits: dict[str, Any]) -> bytes:
    """A WebP of the photo with these edits."""
    photo = _find(photo_id)
    if photo is None:
        raise messaging.Permanent(Photo.ORIGINAL_MISSING)
    return processing.preview(photo, thumbnails.Edits.read(edits))


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=15, limit=3600, total=86400),
    priority=messaging.Priority.BULK,
    about="photo:{photo_id}",
)
def remove_files(*, photo_id: str) -> None:
    processing.remove_files(photo_id=UUID(photo_id))


class PhotoViewed(msgspec.Struct, frozen=True):
    """Somebody looked at a photo, on a day of the site. Who it was travels nowhere."""

    photo_id: UUID
    day: date


@messaging.batch("photo.viewed", of=PhotoViewed)
def count_views(events: Sequence[PhotoViewed]) -> None:
    processing.count_views(Counter((event.photo_id, event.day) for event in events))


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=60, limit=600, total=3600),
    priority=messaging.Priority.BULK,
    every=timedelta(hours=1),
)
def sweep_deleted() -> None:
    """Accounts, and SQL by hand, delete photos without a job of their own."""
    if count := processing.sweep_deleted():
        logger.info("looked after the files of %d deleted photos", count)


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=60, limit=600, total=3600),
    priority=messaging.Priority.BULK,
    every=timedelta(minutes=5),
)
def remove_replaced() -> None:
    """What an edit has cut off must not stay readable for who kept its address."""
    if count := processing.remove_replaced():
        logger.info("removed %d sets of renditions that were replaced", count)


def _find(photo_id: str) -> Photo | None:
    """Return the photo, unless it was deleted while this waited."""
    photo = Photo.objects.filter(pk=UUID(photo_id)).first()
    if photo is None:
        logger.info("photo %s was deleted while its job waited", photo_id)
    return photo
