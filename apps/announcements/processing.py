"""The worker's side: announcements come and go by the clock."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps import caching, messaging
from apps.announcements.models import Announcement


@transaction.atomic
def turn() -> int:
    """Show what has begun, take away what is over, and return how many these were.

    A second time changes nothing.
    """
    moment = timezone.now()
    due = list(Announcement.objects.out_of_step(moment).select_for_update())
    for announcement in due:
        announcement.is_shown = announcement.is_due(moment)
        announcement.save(update_fields=["is_shown"])
    if due:
        caching.changed(*due)
        messaging.publish("site.announced", {"site": "announcements"})
    return len(due)
