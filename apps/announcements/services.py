"""Telling everybody: each write here changes every page of the site, those that are open too."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps import caching, messaging
from apps.announcements.models import Announcement


@transaction.atomic
def save_announcement(*, announcement: Announcement) -> Announcement:
    """Add it, or keep its other words or times. Raises ValidationError."""
    announcement.is_shown = announcement.is_due(timezone.now())
    announcement.full_clean()
    announcement.save()
    _tell(announcement)
    return announcement


@transaction.atomic
def delete_announcement(*, announcement: Announcement) -> None:
    _tell(announcement)
    announcement.delete()


def _tell(announcement: Announcement) -> None:
    caching.changed(announcement)
    messaging.publish("site.announced", {"site": "announcements"})
