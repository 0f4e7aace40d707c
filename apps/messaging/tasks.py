"""What Celery knows of: the bell's answer, and the housekeeping."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.worker import state as worker_state

from apps.messaging import bell, ledger, presence, runner, sampling
from apps.messaging.models import Job
from apps.messaging.replies import answering, questions

logger = logging.getLogger(__name__)


@shared_task(name=bell.RUN, ignore_result=True, acks_late=False, bind=True)
def run(self: Any, /, job_id: object = None, *args: object, **kwargs: object) -> None:
    """Answer a bell. What is none, whoever sent it, is dropped: the rows lose nothing by that."""
    if type(job_id) is not int or args or kwargs:
        logger.warning("a malformed bell was dropped: %.100r", job_id)
        return
    # Celery writes its exit code there, which is 0 for a warm shutdown.
    if worker_state.should_stop is not None and worker_state.should_stop is not False:
        # A thread pool hands out what it had taken before it was asked to stop.
        Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(rung_at=None)
        return
    delivery = self.request.delivery_info or {}
    runner.answer(job_id, queue=delivery.get("routing_key"))


@shared_task(name=questions.ANSWER, ignore_result=True, acks_late=False, bind=True)
def answer(self: Any, name: str, arguments: dict[str, Any], deadline: float) -> None:
    """Answer a question, if it is not too late."""
    answering.answer(
        name=name,
        arguments=arguments,
        deadline=deadline,
        question_id=self.request.id,
        reply_to=self.request.reply_to,
    )


@shared_task(name="messaging.prune", ignore_result=True)
def prune() -> None:
    if deleted := ledger.prune():
        logger.info("pruned %d jobs", deleted)
    sampling.prune()
    presence.prune()
