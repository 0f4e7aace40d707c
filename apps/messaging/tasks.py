"""What Celery knows of: the bell's answer, and the housekeeping."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.messaging import bell, ledger, runner

logger = logging.getLogger(__name__)


@shared_task(name=bell.RUN, ignore_result=True, acks_late=False)
def run(job_id: int) -> None:
    runner.run(job_id)


@shared_task(name="messaging.prune", ignore_result=True)
def prune() -> None:
    if deleted := ledger.prune():
        logger.info("pruned %d jobs", deleted)
