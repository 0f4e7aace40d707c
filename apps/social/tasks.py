from __future__ import annotations

import logging

from celery import shared_task

from apps.social import processing

logger = logging.getLogger(__name__)


@shared_task(name="social.mend_counts", ignore_result=True)
def mend_counts() -> None:
    """Beat asks for this every hour."""
    if wrong := processing.mend_counts():
        logger.warning("mended the numbers beside %d photos", wrong)
