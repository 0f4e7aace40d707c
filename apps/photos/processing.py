"""The worker's side: from an original to its renditions, and the removal of both.

Every write is conditional on the state that it leaves, and every file has one possible content:
done twice, or by two workers at once, the result is that of once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps import caching, messaging, thumbnails
from apps.photos.models import DeletedPhoto, Photo, PhotoViews, StoredRendition
from apps.webhooks import services as webhooks

logger = logging.getLogger(__name__)

RECIPE = thumbnails.Recipe()

# A camera whose clock was never set says something else, and some dates no database can hold.
YEARS = range(1826, 2200)

# How long the files of a deleted photo are looked for: a worker that was developing it when it
# was deleted may still write some, and may be killed before it takes them away itself.
KEEP_LOOKING = timedelta(days=1)

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
        with (
            thumbnails.local_original(str(photo.original)) as source,
            thumbnails.workspace() as folder,
        ):
            for step in thumbnails.develop(
                source,
                folder,
                RECIPE,
                seconds=settings.PHOTO_MAX_SECONDS,
                pixels=settings.PHOTO_MAX_PIXELS,
                have=thumbnails.published(_key_of(photo)),
            ):
                _keep(photo, step)
    except thumbnails.Refused as refusal:
        if not refusal.is_final:
            raise messaging.Temporary(str(refusal)) from refusal
        fail(photo_id=photo.pk, reason=refusal.code)
    except thumbnails.OriginalMissing:
        logger.warning("photo %s has lost its original %s", photo.pk, photo.original.name)
        fail(photo_id=photo.pk, reason=Photo.ORIGINAL_MISSING)


def give_up(job: messaging.Job) -> None:
    """The queue has given the job up: say so on the page, where it can be started anew."""
    fail(photo_id=UUID(job.arguments["photo_id"]), reason=Photo.GIVEN_UP)


@transaction.atomic
def fail(*, photo_id: UUID, reason: str) -> None:
    photos = Photo.objects.filter(pk=photo_id)
    if not photos.filter(state__in=_UNFINISHED).update(state=Photo.State.FAILED, reason=reason):
        return
    _tell(photos.get(), "photo.failed")
    logger.info("photo %s failed: %s", photo_id, reason)


def remove_files(*, photo_id: UUID) -> None:
    """Remove what a deleted photo left in the storages. Twice is once."""
    deleted = DeletedPhoto.objects.filter(pk=photo_id).first()
    if deleted is not None:
        _remove(deleted)


def sweep_deleted() -> int:
    """Remove the files of all that was deleted, by whatever way; forget what is long gone."""
    leftovers = list(DeletedPhoto.objects.order_by("deleted_at"))
    for deleted in leftovers:
        _remove(deleted)
    DeletedPhoto.objects.filter(deleted_at__lt=timezone.now() - KEEP_LOOKING).delete()
    return len(leftovers)


def count_views(counts: Mapping[tuple[UUID, date], int]) -> None:
    """Add views to their photos and days; those of photos that are gone go with them."""
    messaging.add_counts(PhotoViews, counts, by=("photo", "day"))


@transaction.atomic
def _begin(photo: Photo) -> bool:
    # What was given up is begun again when staff try its dead job once more.
    given_up = Q(state=Photo.State.FAILED, reason=Photo.GIVEN_UP)
    photos = Photo.objects.filter(Q(state__in=_UNFINISHED) | given_up, pk=photo.pk)
    if not photos.update(state=Photo.State.DEVELOPING, reason=""):
        return False
    _tell(photo, "photo.developing")
    return True


def _keep(photo: Photo, step: thumbnails.FirstLight) -> None:
    """Publish what a step made, then say so in the row; take it back if the row is gone."""
    files = thumbnails.publish(step, _key_of(photo))
    is_last = isinstance(step, thumbnails.Developed)
    with transaction.atomic():
        photos = Photo.objects.select_for_update().filter(pk=photo.pk)
        current = photos.filter(state=Photo.State.DEVELOPING).first()
        if current is not None:
            _describe(current, step, files)
            is_first = is_last and current.published_at is None
            if is_last:
                current.state = Photo.State.READY
                current.published_at = current.published_at or timezone.now()
            current.save()
            if is_first:
                webhooks.announce("photo.published", current.as_event())
            _tell(current, "photo.developed" if is_last else "photo.appeared")
            return
    if not Photo.objects.filter(pk=photo.pk).exists():
        logger.info("photo %s was deleted while it developed", photo.pk)
        thumbnails.unpublish(_key_of(photo))


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


@transaction.atomic
def _remove(deleted: DeletedPhoto) -> None:
    # What the row named, perhaps by an older recipe; and what a worker made and could not say.
    stored: Iterable[StoredRendition] = deleted.renditions.values()
    for key in {_key_of(deleted), *(file["file"].rpartition("/")[0] for file in stored)}:
        thumbnails.unpublish(key)
    Photo.objects.all().hold_content(deleted.sha256)
    if not Photo.objects.filter(original=deleted.original).exists():
        default_storage.delete(deleted.original)


def _key_of(photo: Photo | DeletedPhoto) -> str:
    return thumbnails.make_key(about=f"photo:{photo.pk}", sha256=photo.sha256, recipe=RECIPE)


def _tell(photo: Photo, topic: str) -> None:
    """Pages show something else now, and who looks at one may know at once."""
    caching.changed(photo)
    messaging.publish(topic, {"photo": str(photo.pk), "owner": photo.owner_id})
