"""A published photo that its owner edits: tried in small, then made and shown in one step."""

from __future__ import annotations

import logging
from contextlib import closing
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps import messaging, thumbnails
from apps.photos.models import Photo, ReplacedSet
from apps.photos.processing.development import tell
from apps.photos.processing.steps import Undevelopable, show, steps_of, take_back

logger = logging.getLogger(__name__)

# What an editor shows while somebody tries: one size, made quickly.
PREVIEW = thumbnails.Recipe(
    name="preview", squares=(), edges=(640,), extensions=("webp",), webp_quality=75, webp_effort=0
)


def apply_edits(photo: Photo) -> None:
    """Develop a published photo as its owner wants it; pages show the old picture until then.

    Edits that cannot be made leave the picture as it is, with the reason for its owner. Raises
    messaging.Temporary where another time may do better.
    """
    if not (photo.is_ready and photo.is_changing):
        logger.info("photo %s has no edits to come", photo.pk)
        return
    try:
        with closing(steps_of(photo)) as steps:
            for step in steps:
                if isinstance(step, thumbnails.Developed):
                    _replace(photo, step)
    except Undevelopable as error:
        fail_edits(photo_id=photo.pk, version=photo.edits_version, reason=error.reason)


def preview(photo: Photo, edits: thumbnails.Edits) -> bytes:
    """A small WebP of the original with these edits. Raises messaging.Permanent with a code.

    Who waits for it asks again by hand: nothing is tried twice.
    """
    try:
        steps = steps_of(photo, edits, PREVIEW, seconds=settings.PREVIEW_SECONDS)
        with closing(steps):
            (rendition,) = next(steps).renditions
            return rendition.path.read_bytes() if rendition.path else b""
    except Undevelopable as error:
        raise messaging.Permanent(error.reason) from error
    except messaging.Temporary as error:
        raise messaging.Permanent(thumbnails.Reason.INTERRUPTED) from error


def give_up_edits(job: messaging.Job) -> None:
    """The queue has given the job up: the picture stays as it is, and its owner is told."""
    photo = Photo.objects.filter(pk=UUID(job.arguments["photo_id"])).first()
    if photo is not None:
        fail_edits(photo_id=photo.pk, version=photo.edits_version, reason=Photo.GIVEN_UP)


@transaction.atomic
def fail_edits(*, photo_id: UUID, version: int, reason: str) -> None:
    """Keep the picture that pages show, unless its owner has edited it again meanwhile."""
    photos = Photo.objects.filter(
        pk=photo_id, edits_version=version, state=Photo.State.READY, wanted_edits__isnull=False
    )
    if not photos.update(wanted_edits=None, edits_reason=reason):
        return
    tell(Photo.objects.get(pk=photo_id), "photo.edited")
    logger.info("the edits of photo %s failed: %s", photo_id, reason)


def _replace(photo: Photo, step: thumbnails.Developed) -> None:
    """Show the edited picture in place of the one before, unless it was edited again."""
    edits = photo.latest_edits
    files = thumbnails.publish(step, photo.key_of(edits))
    with transaction.atomic():
        current = Photo.objects.select_for_update().filter(pk=photo.pk).first()
        if current is not None:
            is_wanted = current.is_changing and current.edits_version == photo.edits_version
            if not is_wanted:
                ReplacedSet.objects.remember(current, photo.key_of(edits))
            elif current.is_ready:  # or else a development of the whole is on its way
                show(current, step, files, edits)
                current.save()
                tell(current, "photo.edited")
            return
    take_back(photo, edits)
