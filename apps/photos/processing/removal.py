"""What photos leave in the storages is removed. Twice is once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from apps import thumbnails
from apps.photos.models import DeletedPhoto, Photo, ReplacedSet

# How long the files of a deleted photo are looked for: a worker that was developing it when it
# was deleted may still write some, and may be killed before it takes them away itself.
KEEP_LOOKING = timedelta(days=1)
# Who was told of a rendition asks for it within moments, or when a lazy page is scrolled.
KEEP_REPLACED = timedelta(minutes=5)


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


def remove_replaced() -> int:
    """Remove the renditions that edits have replaced, unless they are wanted again."""
    due = ReplacedSet.objects.filter(replaced_at__lt=timezone.now() - KEEP_REPLACED)
    replaced = list(due)
    for each in replaced:
        _remove_replaced(each)
    return len(replaced)


@transaction.atomic
def _remove(deleted: DeletedPhoto) -> None:
    replaced = ReplacedSet.objects.filter(photo_id=deleted.pk)
    for key in deleted.keys.union(replaced.values_list("key", flat=True)):
        thumbnails.unpublish(key)
    replaced.delete()
    Photo.objects.all().hold_content(deleted.sha256)
    if not Photo.objects.filter(original=deleted.original).exists():
        default_storage.delete(deleted.original)


@transaction.atomic
def _remove_replaced(replaced: ReplacedSet) -> None:
    # Held to the end: nobody wants the set again while it is being removed.
    photo = Photo.objects.select_for_update().filter(pk=replaced.photo_id).first()
    if photo is None or replaced.key not in {photo.key, photo.key_of(photo.latest_edits)}:
        thumbnails.unpublish(replaced.key)
    replaced.delete()
