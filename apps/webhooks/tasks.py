from __future__ import annotations

from celery import shared_task

from apps import messaging
from apps.webhooks import delivery, processing


@messaging.job(
    queue="webhooks",
    retry=messaging.Backoff(first=10, limit=6 * 3600, total=3 * 86400, steady=0.5),
    time_limit=60,
    on_dead="apps.webhooks.processing.give_up",
)
def deliver(*, delivery_id: int) -> None:
    processing.deliver(delivery_id=delivery_id, post=delivery.post)


@shared_task(name="webhooks.prune", ignore_result=True)
def prune() -> None:
    processing.prune()
