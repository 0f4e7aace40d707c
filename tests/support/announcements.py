"""Announcements for tests, made as staff make them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.announcements import services
from apps.announcements.models import Announcement


def make_announcement(
    text: str = "Closed on Sunday.",
    *,
    level: str = "info",
    begins: timedelta = timedelta(0),
    lasts: timedelta | None = None,
    is_dismissible: bool = True,
) -> Announcement:
    """Announce something that begins so long from now, and ends so long after its begin."""
    starts_at = timezone.now() + begins
    return services.save_announcement(
        announcement=Announcement(
            text=text,
            level=level,
            starts_at=starts_at,
            ends_at=None if lasts is None else starts_at + lasts,
            is_dismissible=is_dismissible,
        )
    )
