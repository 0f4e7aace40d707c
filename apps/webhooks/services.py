"""Telling services outside: written with the change, delivered by a worker, not lost in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from apps import caching
from apps.webhooks import selectors, tasks
from apps.webhooks.models import Delivery, Webhook

PING = "webhook.pinged"


@transaction.atomic
def announce(topic: str, payload: Mapping[str, object]) -> int:
    """Tell every webhook that wants this topic, once this transaction commits; how many that are.

    Call it in the transaction of the change. `payload` is what strangers may know: public ids and
    addresses of pages, no mail address, no secret, no location.
    """
    return sum(
        _queue(webhook_id, topic, payload) for webhook_id in selectors.list_subscribers(topic)
    )


@transaction.atomic
def add_webhook(*, name: str, url: str, pattern: str = "#") -> Webhook:
    """Start telling a service. Its `secret` is for the people who run it."""
    webhook = Webhook(name=name, url=url, pattern=pattern)
    webhook.full_clean()
    webhook.save(force_insert=True)
    caching.changed(webhook)
    return webhook


@transaction.atomic
def edit_webhook(*, webhook: Webhook) -> Webhook:
    """Save another name, address or pattern."""
    webhook.full_clean()
    webhook.save(update_fields=["name", "url", "pattern"])
    caching.changed(webhook)
    return webhook


@transaction.atomic
def delete_webhook(*, webhook: Webhook) -> None:
    """Stop telling it, and forget what it was told."""
    caching.changed(webhook)
    webhook.delete()


@transaction.atomic
def rotate_secret(*, webhook: Webhook) -> str:
    """Give it a new secret and return that. For two days calls are signed with the old one too."""
    current = Webhook.objects.select_for_update().get(pk=webhook.pk)
    current.generation += 1
    current.rotated_at = timezone.now()
    current.save(update_fields=["generation", "rotated_at"])
    return current.secret


@transaction.atomic
def pause(*, webhook: Webhook, because: str) -> bool:
    """Call it no more until `resume`; say whether this was new.

    What was queued is held. What happens from now on is not written down for it.
    """
    is_new = Webhook.objects.filter(pk=webhook.pk).pause(because=because)
    if is_new:
        caching.changed(webhook)
    return is_new


@transaction.atomic
def resume(*, webhook: Webhook) -> int:
    """Call it again, first with what was held; how many deliveries that are."""
    paused = Webhook.objects.filter(pk=webhook.pk, paused_at__isnull=False)
    if not paused.update(paused_at=None, paused_because="", failing_since=None):
        return 0
    caching.changed(webhook)
    return redeliver(deliveries=webhook.deliveries.filter(state=Delivery.State.HELD))


@transaction.atomic
def redeliver(*, deliveries: Iterable[Delivery]) -> int:
    """Queue deliveries anew, whatever came of them; how many. Those under way are left alone."""
    ended = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    ended = ended.exclude(state=Delivery.State.QUEUED).select_for_update().order_by("pk")
    queued = 0
    for delivery in ended:
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.QUEUED)
        tasks.deliver.delay(delivery_id=delivery.pk)
        queued += 1
    return queued


@transaction.atomic
def ping(*, webhook: Webhook) -> Delivery:
    """Send it an event that means nothing, whatever it wants and also while it is paused."""
    _queue(webhook.pk, PING, {"name": webhook.name})
    return webhook.deliveries.latest("pk")


def _queue(webhook_id: int, topic: str, payload: Mapping[str, object]) -> int:
    delivery = Delivery(webhook_id=webhook_id, topic=topic, payload=dict(payload))
    delivery.save(force_insert=True)
    tasks.deliver.delay(delivery_id=delivery.pk)
    return 1
