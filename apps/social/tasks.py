from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task

from apps import messaging
from apps.social import processing

logger = logging.getLogger(__name__)


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=5, limit=600, total=86400),
    about="comment:{comment_id}",
)
def tell_conversation(*, comment_id: int) -> None:
    processing.tell_conversation(comment_id=comment_id)


@messaging.job(
    queue="default",
    retry=messaging.Backoff(first=60, limit=3600, total=43200),
    priority=messaging.Priority.BULK,
    every=timedelta(days=1),
)
def prune_notifications() -> None:
    if count := processing.prune_notifications():
        logger.info("forgot %d old notifications", count)


@shared_task(name="social.mend_counts", ignore_result=True)
def mend_counts() -> None:
    """Beat asks for this every hour."""
    if wrong := processing.mend_counts():
        logger.warning("mended the numbers beside %d photos", wrong)
