"""What a page shows of one photo: a plain value, so that it can wait in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.core.files.storage import storages
from django.urls import reverse
from django.utils.translation import gettext as _

from apps import caching, thumbnails
from apps.photos.models import Photo

POSTER_WIDTH = 1200  # what other sites ask of a picture that stands for a page
_SQUARES = thumbnails.Recipe().squares


class Size(msgspec.Struct, frozen=True):
    """One rendition as a browser asks for it."""

    url: str
    width: int
    height: int


class PhotoDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A photo in any state, without its owner's name: that is the owner's to change."""

    pk: UUID
    owner_id: int
    state: str
    reason: str
    is_changing: bool
    edits_reason: str
    title: str
    description: str
    alt: str
    original_name: str
    width: int | None
    height: int | None
    placeholder: str
    sizes: dict[str, Size]
    camera: thumbnails.Camera
    taken_at: datetime | None
    created_at: datetime
    published_at: datetime | None
    like_count: int
    comment_count: int

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk])

    @property
    def id(self) -> UUID:
        return self.pk

    @property
    def name(self) -> str:
        return self.title or _("Untitled")

    @property
    def words(self) -> str:
        """What takes the place of the picture for somebody who cannot see it."""
        return self.alt or self.title or _("Photo without a description")

    @property
    def is_ready(self) -> bool:
        return self.state == Photo.State.READY

    @property
    def is_failed(self) -> bool:
        return self.state == Photo.State.FAILED

    @property
    def is_unfinished(self) -> bool:
        return not (self.is_ready or self.is_failed)

    @property
    def reason_text(self) -> str:
        return explain(self.reason)

    @property
    def edits_reason_text(self) -> str:
        return explain(self.edits_reason)

    @property
    def has_facts(self) -> bool:
        return self.taken_at is not None or self.camera != thumbnails.Camera()

    @property
    def camera_name(self) -> str:
        """Make and model; many models say the make themselves."""
        make, model = self.camera.make or "", self.camera.model or ""
        if model.casefold().startswith(make.split(" ")[0].casefold()):
            return model or make
        return f"{make} {model}".strip()

    @property
    def stamp(self) -> Size | None:
        return self.sizes.get("96.jpg")

    @property
    def square(self) -> Size | None:
        return self.sizes.get("320.jpg")

    @property
    def webp(self) -> str:
        return self._srcset(".webp")

    @property
    def jpeg(self) -> str:
        return self._srcset(".jpg")

    @property
    def fallback(self) -> Size | None:
        """For a browser that knows no `srcset`: the smallest that is not cut to a square."""
        return min(self._whole(".jpg"), key=_width, default=None)

    @property
    def poster(self) -> Size | None:
        """What other sites show of the photo: large, but not the largest."""
        whole = sorted(self._whole(".jpg"), key=_width)
        large = [size for size in whole if size.width >= POSTER_WIDTH]
        return next(iter(large or whole[-1:]), None)

    def _whole(self, suffix: str) -> list[Size]:
        squares = {f"{side}{suffix}" for side in _SQUARES}
        return [
            size
            for name, size in self.sizes.items()
            if name.endswith(suffix) and name not in squares
        ]

    def _srcset(self, suffix: str) -> str:
        whole = sorted(self._whole(suffix), key=_width)
        return ", ".join(f"{size.url} {size.width}w" for size in whole)


def describe(photo: Photo) -> PhotoDetails:
    """The details of a photo that was fetched already, whoever may see it."""
    url = storages["renditions"].url
    return PhotoDetails(
        pk=photo.pk,
        owner_id=photo.owner_id,
        state=photo.state,
        reason=photo.reason,
        is_changing=photo.is_changing,
        edits_reason=photo.edits_reason,
        title=photo.title,
        description=photo.description,
        alt=photo.alt,
        original_name=photo.original_name,
        width=photo.width,
        height=photo.height,
        placeholder=photo.placeholder,
        sizes={
            name: Size(url(stored["file"]), stored["width"], stored["height"])
            for name, stored in photo.renditions.items()
        },
        camera=msgspec.convert(photo.camera, thumbnails.Camera),
        taken_at=photo.taken_at,
        created_at=photo.created_at,
        published_at=photo.published_at,
        like_count=photo.like_count,
        comment_count=photo.comment_count,
    )


@caching.cached(timeout=timedelta(hours=1), tags=["photo:{pk}"])
def find_details(*, pk: UUID) -> PhotoDetails | None:
    """The details of a photo that everybody may see; None for any other."""
    photo = Photo.objects.published().filter(pk=pk).first()
    return describe(photo) if photo else None


def describe_many(pks: Sequence[UUID]) -> Mapping[UUID, PhotoDetails]:
    """The details of those of these photos that everybody may see, in one query."""
    found: Iterable[Photo] = Photo.objects.published().filter(pk__in=pks)
    return {photo.pk: describe(photo) for photo in found}


def explain(reason: str) -> str:
    """The reason why a photo failed, in the reader's language; "" for no reason."""
    if reason == Photo.ORIGINAL_MISSING:
        return _("The file you sent is lost. Please send it again.")
    if reason == Photo.GIVEN_UP:
        return _("Something went wrong on our side. Please try to develop it again.")
    return thumbnails.explain(reason) if reason else ""


def _width(size: Size) -> int:
    return size.width
