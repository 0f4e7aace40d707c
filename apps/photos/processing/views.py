"""Looks at photos, added up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from apps import messaging
from apps.photos.models import PhotoViews


def count_views(counts: Mapping[tuple[UUID, date], int]) -> None:
    """Add views to their photos and days; those of photos that are gone go with them."""
    messaging.add_counts(PhotoViews, counts, by=("photo", "day"))
