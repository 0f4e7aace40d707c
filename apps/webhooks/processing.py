"""What becomes of a delivery, and of a webhook that does not answer."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps import caching, messaging
from apps.webhooks.delivery import Answer
from apps.webhooks.exceptions import Forbidden, NotDelivered, Refused
from apps.webhooks.models import Delivery, Webhook

logger = logging.getLogger(__name__)
GONE = 410
PAUSE_AFTER = timedelta(days=3)
KEEP_LOG = timedelta(days=30)
# Of the threads of one worker, so that services which hang leave some for other work.
AT_ONCE, AT_ONCE_EACH = 2, 1
_busy = Counter[int]()
_lock = threading.Lock()


def deliver(*, delivery_id: int, post: Callable[[Delivery], Answer]) -> None:
    """Make one attempt. Raises what the queue is to do about one that failed."""
    delivery = Delivery.objects.select_related("webhook").filter(pk=delivery_id).first()
    if delivery is None or delivery.state == Delivery.State.DELIVERED:
        return
    is_ping = delivery.topic.startswith("webhook.")
    if delivery.webhook.paused_at is not None and not is_ping:
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.HELD)
        return
    with _turn(delivery.webhook_id):
        _attempt(delivery, post)


def give_up(job: messaging.Job) -> None:
    """The queue has given the job up: the log says so."""
    Delivery.objects.filter(
        pk=job.arguments["delivery_id"], state__in=[Delivery.State.QUEUED, Delivery.State.HELD]
    ).update(state=Delivery.State.FAILED)


def prune() -> int:
    """Forget deliveries that ended long ago."""
    ended = [Delivery.State.DELIVERED, Delivery.State.FAILED]
    old = Delivery.objects.filter(state__in=ended, created_at__lt=timezone.now() - KEEP_LOG)
    return old.delete()[0]


@contextlib.contextmanager
def _turn(webhook_id: int) -> Iterator[None]:
    """Hold one of the few places in this process, or come back in a moment."""
    with _lock:
        if _busy.total() >= AT_ONCE or _busy[webhook_id] >= AT_ONCE_EACH:
            raise messaging.Temporary("Others are being called.", wait=random.uniform(0.5, 2))  # noqa: S311
        _busy[webhook_id] += 1
    try:
        yield
    finally:
        with _lock:
            _busy[webhook_id] -= 1


def _attempt(delivery: Delivery, post: Callable[[Delivery], Answer]) -> None:
    row = Delivery.objects.filter(pk=delivery.pk)
    started = time.monotonic()
    try:
        answer = post(delivery)
    except NotDelivered as error:
        status = error.status if isinstance(error, Refused) else None
        row.update(
            attempts=F("attempts") + 1,
            status=status,
            answer=str(error),
            milliseconds=_since(started),
        )
        _failed(delivery, error)
    else:
        row.update(
            state=Delivery.State.DELIVERED,
            delivered_at=timezone.now(),
            attempts=F("attempts") + 1,
            status=answer.status,
            answer=answer.text,
            milliseconds=_since(started),
        )
        Webhook.objects.filter(pk=delivery.webhook_id).exclude(failing_since=None).update(
            failing_since=None
        )


def _failed(delivery: Delivery, error: NotDelivered) -> None:
    """Raise what is to become of the job; pause a webhook that is gone, or fails for days."""
    webhook, now = delivery.webhook, timezone.now()
    if isinstance(error, Forbidden):
        raise messaging.Permanent(str(error)) from error
    if isinstance(error, Refused) and error.status == GONE:
        _pause(webhook, "It answered 410: gone.")
        raise messaging.Permanent(str(error)) from error
    Webhook.objects.filter(pk=webhook.pk, failing_since=None).update(failing_since=now)
    if webhook.failing_since is not None and webhook.failing_since < now - PAUSE_AFTER:
        _pause(webhook, f"It has not taken anything for {PAUSE_AFTER.days} days.")
    wait = error.wait if isinstance(error, Refused) else None
    raise messaging.Temporary(str(error), wait=wait) from error


@transaction.atomic
def _pause(webhook: Webhook, because: str) -> None:
    if Webhook.objects.filter(pk=webhook.pk).pause(because=because):
        caching.changed(webhook)
        logger.warning("webhook %d %s is paused: %s", webhook.pk, webhook.name, because)


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
