from __future__ import annotations

from uuid import UUID

from apps import messaging
from apps.operations import processing


@messaging.job(queue="default", retry=messaging.Backoff(first=2, limit=30, total=86400))
def liven_up(*, photo_id: str, slug: str) -> None:
    processing.liven_up(photo_id=UUID(photo_id), slug=slug)
