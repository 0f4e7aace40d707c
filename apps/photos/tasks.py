"""The queue's side of photos: which queue, which waits, and what is called."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
from django.conf import settings

from apps import messaging
from apps.photos import processing
from apps.photos.models import Photo

logger = logging.getLogger(__name__)


@messaging.job(
    queue="images",
    retry=messaging.Backoff(first=5, limit=900, total=86400),
    # The darkroom keeps its own, shorter limit; this one is for what hangs around it.
    time_limit=2 * settings.PHOTO_MAX_SECONDS + 30,
    on_dead="apps.photos.processing.give_up",
    about="photo:{photo_id}",
)
def make_renditions(*, photo_id: str) -> None:
    photo = Photo.objects.filter(pk=UUID(photo_id)).first()
    if photo is None:
        logger.info("photo %s was deleted while its job waited", photo_id)
        return
    processing.develop(photo)


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
