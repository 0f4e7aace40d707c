from __future__ import annotations

from datetime import timedelta

from apps import messaging
from apps.announcements import processing


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=5, limit=30, total=300),
    every=timedelta(minutes=1),
)
def turn_announcements() -> None:
    """Show what begins and take away what ends: a page is at most a minute late."""
    processing.turn()
