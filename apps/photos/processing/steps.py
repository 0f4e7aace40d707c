"""From an original to what comes of it, step by step: for a new photo, an edited one, a preview."""

from __future__ import annotations

import logging
from collections.abc import Generator
from datetime import datetime

import msgspec
from django.conf import settings
from django.utils import timezone

from apps import messaging, thumbnails
from apps.photos.models import RECIPE, Photo, ReplacedSet, StoredRendition

logger = logging.getLogger(__name__)

# A camera whose clock was never set says something else, and some dates no database can hold.
YEARS = range(1826, 2200)


class Undevelopable(Exception):
    """Nothing will come of this original; `reason` is the code that a row keeps."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def steps_of(
    photo: Photo,
    edits: thumbnails.Edits | None = None,
    recipe: thumbnails.Recipe = RECIPE,
    *,
    seconds: float | None = None,
) -> Generator[thumbnails.FirstLight]:
    """Yield what comes of a photo, while its files are there. Raises Undevelopable, Temporary."""
    edits = photo.latest_edits if edits is None else edits
    try:
        with (
            thumbnails.local_original(str(photo.original)) as source,
            thumbnails.workspace() as folder,
        ):
            yield from thumbnails.develop(
                source,
                folder,
                recipe,
                edits=edits,
                seconds=seconds or settings.PHOTO_MAX_SECONDS,
                pixels=settings.PHOTO_MAX_PIXELS,
                have=thumbnails.published(photo.key_of(edits)) if recipe is RECIPE else (),
            )
    except thumbnails.Refused as refusal:
        if not refusal.is_final:
            raise messaging.Temporary(str(refusal)) from refusal
        raise Undevelopable(refusal.code) from refusal
    except thumbnails.OriginalMissing as missing:
        logger.warning("photo %s has lost its original %s", photo.pk, photo.original.name)
        raise Undevelopable(Photo.ORIGINAL_MISSING) from missing


def show(
    photo: Photo, step: thumbnails.FirstLight, files: dict[str, str], edits: thumbnails.Edits
) -> None:
    """Let the row tell of this set, and give the one before away."""
    before = photo.key
    _describe(photo, step, files)
    photo.edits, photo.wanted_edits, photo.edits_reason = edits.as_json(), None, ""
    if before and before != photo.key:
        ReplacedSet.objects.remember(photo, before)


def _describe(photo: Photo, step: thumbnails.FirstLight, files: dict[str, str]) -> None:
    photo.format = step.format
    photo.width, photo.height = step.width, step.height
    photo.placeholder, photo.thumbhash = step.placeholder, step.thumbhash
    photo.renditions = {
        made.name: StoredRendition(file=files[made.name], width=made.width, height=made.height)
        for made in step.renditions
    }
    if step.camera is not None:
        facts = msgspec.to_builtins(step.camera)
        photo.taken_at = _moment(step.camera.taken_at)
        photo.camera = {
            name: fact for name, fact in facts.items() if fact is not None and name != "taken_at"
        }


def _moment(taken_at: datetime | None) -> datetime | None:
    """A camera's clock mostly knows no zone: read in that of the site it shows the same hour."""
    if taken_at is None or taken_at.year not in YEARS:
        return None
    return taken_at if timezone.is_aware(taken_at) else timezone.make_aware(taken_at)


def take_back(photo: Photo, edits: thumbnails.Edits) -> None:
    if not Photo.objects.filter(pk=photo.pk).exists():
        logger.info("photo %s was deleted while it developed", photo.pk)
        thumbnails.unpublish(photo.key_of(edits))
