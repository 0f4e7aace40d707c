"""What photos leave in the storages, until their files are gone too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from apps import thumbnails
from apps.photos.models.photos import StoredRendition, key_of

if TYPE_CHECKING:
    from apps.photos.models.photos import Photo


class DeletedPhoto(models.Model):
    """What a deleted photo leaves in the storages, until its files are gone too.

    A trigger of the database writes these rows, so that no way of deleting a photo (its page, the
    admin, its owner's account, SQL by hand) leaves files that nobody knows of.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    original = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    renditions = models.JSONField(default=dict)
    # Those to come, if there were any: a worker may be making that set.
    edits = models.JSONField(default=dict)
    deleted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def keys(self) -> set[str]:
        """What the row named, perhaps by an older recipe; and what a worker could not say."""
        stored: list[StoredRendition] = list(self.renditions.values())
        edits = {thumbnails.NO_EDITS, thumbnails.Edits.read(self.edits)}
        return {file["file"].rpartition("/")[0] for file in stored} | {
            key_of(self, each) for each in edits
        }


class ReplacedSetQuerySet(models.QuerySet["ReplacedSet"]):
    def remember(self, photo: Photo, key: str) -> None:
        """No page shows this set from now on. The caller holds the photo's row."""
        self.update_or_create(
            key=key, defaults={"photo_id": photo.pk, "replaced_at": timezone.now()}
        )


class ReplacedSet(models.Model):
    """Renditions that an edit has replaced, until they are removed.

    They stay for a moment, since browsers may be about to ask for what a page told them.
    """

    key = models.CharField(primary_key=True, max_length=100)
    # No foreign key: the files outlive the photo's row.
    photo_id = models.UUIDField(db_index=True)
    replaced_at = models.DateTimeField(db_index=True)

    objects = ReplacedSetQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
