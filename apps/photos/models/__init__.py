"""The photo as a row, what is counted of it, and what it leaves when it is gone or replaced."""

from __future__ import annotations

from apps.photos.models.leftovers import DeletedPhoto, ReplacedSet
from apps.photos.models.photos import (
    DESCRIPTION_LENGTH,
    RECIPE,
    TITLE_LENGTH,
    Photo,
    PhotoQuerySet,
    StoredRendition,
)
from apps.photos.models.views import PhotoViews

__all__ = [
    "DESCRIPTION_LENGTH",
    "RECIPE",
    "TITLE_LENGTH",
    "DeletedPhoto",
    "Photo",
    "PhotoQuerySet",
    "PhotoViews",
    "ReplacedSet",
    "StoredRendition",
]
