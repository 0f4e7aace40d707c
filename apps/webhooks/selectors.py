from __future__ import annotations

from datetime import timedelta

import msgspec

from apps import caching, messaging
from apps.webhooks.models import Webhook


class Subscription(msgspec.Struct, frozen=True):
    """Which webhook wants which topics."""

    webhook: int
    pattern: str


@caching.cached(timeout=timedelta(hours=1), tags=["webhooks"], stale_for=timedelta(days=1))
def list_subscriptions() -> list[Subscription]:
    """Return what the active webhooks want. Most sites have none, and then it costs no query."""
    rows = Webhook.objects.active().order_by("pk").values_list("pk", "pattern")
    return [Subscription(pk, pattern) for pk, pattern in rows]


def list_subscribers(topic: str) -> list[int]:
    """Return the webhooks that are to be told of this topic."""
    return [
        wanted.webhook
        for wanted in list_subscriptions()
        if messaging.matches(wanted.pattern, topic)
    ]
