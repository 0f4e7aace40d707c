"""A photo that nobody has seen yet, or that is made anew: its pages follow step by step."""

from __future__ import annotations

import logging
from contextlib import closing
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps import caching, messaging, thumbnails
from apps.photos.models import Photo
from apps.photos.processing.steps import Undevelopable, show, steps_of, take_back
from apps.webhooks import services as webhooks

logger = logging.getLogger(__name__)

_UNFINISHED = (Photo.State.QUEUED, Photo.State.DEVELOPING)


def develop(photo: Photo) -> None:
    """Make the renditions of a photo; the row, and with it every page, follows step by step.

    A picture that cannot be developed ends as failed, with the reason: that is an outcome, not an
    error. Raises messaging.Temporary where another time, or another machine, may do better.
    """
    if not _begin(photo):
        logger.info("photo %s needs no development", photo.pk)
        return
    try:
        with closing(steps_of(photo)) as steps:
            for step in steps:
                _keep(photo, step)
    except Undevelopable as error:
        fail(photo_id=photo.pk, reason=error.reason)


def give_up(job: messaging.Job) -> None:
    """The queue has given the job up: say so on the page, where it can be started anew."""
    fail(photo_id=UUID(job.arguments["photo_id"]), reason=Photo.GIVEN_UP)


@transaction.atomic
def fail(*, photo_id: UUID, reason: str) -> None:
    photos = Photo.objects.filter(pk=photo_id)
    if not photos.filter(state__in=_UNFINISHED).update(state=Photo.State.FAILED, reason=reason):
        return
    tell(photos.get(), "photo.failed")
    logger.info("photo %s failed: %s", photo_id, reason)


@transaction.atomic
def _begin(photo: Photo) -> bool:
    # What was given up is begun again when staff try its dead job once more.
    given_up = Q(state=Photo.State.FAILED, reason=Photo.GIVEN_UP)
    photos = Photo.objects.filter(Q(state__in=_UNFINISHED) | given_up, pk=photo.pk)
    if not photos.update(state=Photo.State.DEVELOPING, reason=""):
        return False
    tell(photo, "photo.developing")
    return True


def _keep(photo: Photo, step: thumbnails.FirstLight) -> None:
    """Publish what a step made, then say so in the row; take it back if the row is gone."""
    edits = photo.latest_edits
    files = thumbnails.publish(step, photo.key_of(edits))
    is_last = isinstance(step, thumbnails.Developed)
    with transaction.atomic():
        photos = Photo.objects.select_for_update().filter(pk=photo.pk)
        current = photos.filter(
            state=Photo.State.DEVELOPING, edits_version=photo.edits_version
        ).first()
        if current is not None:
            show(current, step, files, edits)
            is_first = is_last and current.published_at is None
            if is_last:
                current.state = Photo.State.READY
                current.published_at = current.published_at or timezone.now()
            current.save()
            if is_first:
                webhooks.announce("photo.published", current.as_event())
            tell(current, "photo.developed" if is_last else "photo.appeared")
            return
    take_back(photo, edits)


def tell(photo: Photo, topic: str) -> None:
    """Pages show something else now, and who looks at one may know at once."""
    caching.changed(photo)
    messaging.publish(topic, {"photo": str(photo.pk), "owner": photo.owner_id})
