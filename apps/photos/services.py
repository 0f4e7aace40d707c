"""What people do with photos: every write, and the invalidation that belongs to it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from apps import caching, messaging, thumbnails
from apps.accounts.models import User
from apps.photos import selectors, tasks
from apps.photos.exceptions import (
    AlreadyUploaded,
    EditedMeanwhile,
    EmptyFile,
    FileTooLarge,
    NotAPicture,
    NotConfirmed,
    NotDeveloped,
    Refused,
    TooManyFiles,
)
from apps.photos.models import Photo, ReplacedSet
from apps.webhooks import services as webhooks

logger = logging.getLogger(__name__)

_before_deletion: list[Callable[[Photo], None]] = []


def before_deletion(act: Callable[[Photo], None]) -> None:
    """Let an app above this one act, too, when a photo is deleted.

    It is called in the same transaction, while all that hangs on the photo is still there.
    """
    if act not in _before_deletion:
        _before_deletion.append(act)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A file that was not taken, why, and the photo that it repeats, if it does."""

    name: str
    reason: str
    photo: Photo | None = None


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What became of the files of one upload, in their order."""

    photos: list[Photo] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def upload_photos(
    *, owner: User, originals: Iterable[File[bytes]], title: str = "", description: str = ""
) -> Upload:
    """Take what can be taken; a refused file never undoes the others. Raises NotConfirmed."""
    if not owner.is_confirmed:
        raise NotConfirmed
    upload = Upload()
    for number, original in enumerate(originals):
        name = clean_name(original.name)
        try:
            if number >= settings.PHOTOS_PER_UPLOAD:
                raise TooManyFiles
            photo = upload_photo(
                owner=owner, original=original, title=title, description=description
            )
        except Refused as refusal:
            twin = refusal.photo if isinstance(refusal, AlreadyUploaded) else None
            upload.refused.append(Refusal(name=name, reason=str(refusal), photo=twin))
        else:
            upload.photos.append(photo)
    return upload


@transaction.atomic
def upload_photo(
    *, owner: User, original: File[bytes], title: str = "", description: str = "", alt: str = ""
) -> Photo:
    """Store the original and queue its development. Raises NotConfirmed or Refused."""
    if not owner.is_confirmed:
        raise NotConfirmed
    picture_format = _examine(original)
    sha256 = _digest(original)
    Photo.objects.hold_content(sha256)
    twin = selectors.find_twin(owner=owner, sha256=sha256)
    if twin is not None:
        raise AlreadyUploaded(twin)
    stored_as = f"{sha256[:2]}/{sha256}.{picture_format}"
    photo = Photo(
        owner=owner,
        title=title,
        description=description,
        alt=alt,
        original=stored_as,
        original_name=clean_name(original.name),
        bytes=original.size,
        format=picture_format,
        sha256=sha256,
    )
    photo.full_clean()
    _store(original, name=stored_as)
    photo.save()
    tasks.make_renditions.delay(photo_id=str(photo.pk))
    caching.changed(photo)
    messaging.publish("photo.queued", {"photo": str(photo.pk), "owner": owner.pk})
    return photo


@transaction.atomic
def edit_photo(*, photo: Photo, title: str, description: str, alt: str) -> Photo:
    """Say something else about the picture."""
    photo.title, photo.description, photo.alt = title, description, alt
    photo.full_clean()
    photo.save(update_fields=["title", "description", "alt"])
    caching.changed(photo)
    return photo


@transaction.atomic
def edit_picture(*, photo: Photo, edits: thumbnails.Edits, version: int) -> Photo:
    """Queue the picture's development with these edits; pages show it as it is until then.

    `version` is the `edits_version` that the owner saw. Raises EditedMeanwhile if it is another by
    now, NotDeveloped, and Photo.DoesNotExist.
    """
    photo = Photo.objects.select_for_update().get(pk=photo.pk)
    if not photo.is_ready:
        raise NotDeveloped
    if photo.edits_version != version:
        raise EditedMeanwhile
    if edits == photo.latest_edits and not photo.edits_reason:
        return photo
    if photo.is_changing:
        # A worker may be making this set, and be killed before it learns that nobody wants it.
        ReplacedSet.objects.remember(photo, photo.key_of(photo.latest_edits))
    is_shown = edits == thumbnails.Edits.read(photo.edits)
    photo.wanted_edits = None if is_shown else edits.as_json()
    photo.edits_version, photo.edits_reason = version + 1, ""
    photo.save(update_fields=["wanted_edits", "edits_version", "edits_reason"])
    if photo.is_changing:
        tasks.apply_edits.delay(photo_id=str(photo.pk))
    caching.changed(photo)
    messaging.publish("photo.edited", {"photo": str(photo.pk), "owner": photo.owner_id})
    return photo


def preview_picture(*, photo: Photo, edits: thumbnails.Edits, viewer: User) -> bytes:
    """The picture with these edits, small, from an image worker. Raises messaging.NotAnswered.

    Of two that the same person asks for, the earlier is dropped. Writes nothing.
    """
    asking = tasks.preview.with_options(replaces=f"{viewer.pk}/{photo.pk}")
    return asking.ask(photo_id=str(photo.pk), edits=edits.as_json())


@transaction.atomic
def delete_photo(*, photo: Photo) -> None:
    """Gone at once for everybody; its files go after the commit."""
    # From here on nobody adds a like or a comment, which the deletion below would not find.
    list(Photo.objects.select_for_update().filter(pk=photo.pk))
    caching.changed(photo)
    for act in _before_deletion:
        act(photo)
    photo_id = str(photo.pk)
    if photo.published_at is not None:
        webhooks.announce("photo.deleted", {"id": photo_id})
    photo.delete()
    tasks.remove_files.delay(photo_id=photo_id)
    messaging.publish("photo.deleted", {"photo": photo_id})


@transaction.atomic
def develop_again(*, photo: Photo) -> None:
    """Queue the development anew, whatever came of the last one."""
    photo.state, photo.reason = Photo.State.QUEUED, ""
    photo.save(update_fields=["state", "reason"])
    tasks.make_renditions.delay(photo_id=str(photo.pk))
    caching.changed(photo)
    messaging.publish("photo.queued", {"photo": str(photo.pk), "owner": photo.owner_id})


def note_view(*, photo: selectors.PhotoDetails, viewer: User | None) -> None:
    """Somebody looks at a published photo; its owner does not count. Writes nothing here.

    The view leaves as an event, and a worker adds what came of a second in one write.
    """
    if viewer is None or viewer.pk != photo.owner_id:
        seen = tasks.PhotoViewed(photo_id=photo.pk, day=timezone.localdate())
        tasks.count_views.emit(seen)


def change_like_count(*, photo_id: UUID, by: int) -> None:
    """Keep the number of likes beside the photo in step with the rows that `social` keeps."""
    _change_count(photo_id, "like_count", by)


def change_comment_count(*, photo_id: UUID, by: int) -> None:
    """Keep the number of comments beside the photo in step with the rows that `social` keeps."""
    _change_count(photo_id, "comment_count", by)


@transaction.atomic
def _change_count(photo_id: UUID, column: str, by: int) -> None:
    # Relative, in the database: two people may like a photo in the same moment.
    Photo.objects.filter(pk=photo_id).update(**{column: Greatest(F(column) + by, 0)})
    caching.invalidate(f"photo:{photo_id}", "popular")


def clean_name(name: str | None) -> str:
    """The name of a file as its owner knows it: shown to people, never used as a path."""
    base = PurePath((name or "").replace("\\", "/")).name
    return "".join(char for char in base if char.isprintable())[:255] or "photo"


def _examine(original: File[bytes]) -> str:
    """The format that the first bytes promise. No pixel is decoded in the web process."""
    if not original.size:
        raise EmptyFile
    if original.size > settings.PHOTO_MAX_BYTES:
        raise FileTooLarge
    original.seek(0)
    picture_format = thumbnails.sniff(original.read(thumbnails.HEAD_BYTES))
    if picture_format is None:
        raise NotAPicture
    return picture_format


def _digest(original: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in original.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _store(original: File[bytes], *, name: str) -> None:
    """Write the original once. The caller holds its content (`hold_content`)."""
    if default_storage.exists(name):
        if default_storage.size(name) == original.size:
            return
        # What a process left that was killed in the middle of writing.
        default_storage.delete(name)
    original.seek(0)
    default_storage.save(name, original)
