from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import timedelta
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.webhooks.validators import validate_pattern, validate_url

# A receiver has so long to take the new secret; until then calls are signed with both.
ROTATION = timedelta(days=2)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def active(self) -> Self:
        return self.filter(paused_at=None)

    def pause(self, *, because: str) -> bool:
        """Pause these, and say whether any was active."""
        return bool(self.active().update(paused_at=Now(), paused_because=because[:200]))


class Webhook(models.Model):
    """A service outside that wants to be told of some topics."""

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500, validators=[validate_url])
    pattern = models.CharField(
        _("topics"),
        max_length=100,
        default="#",
        validators=[validate_pattern],
        help_text=_("“photo.*”, “photo.published”, or “#” for all."),
    )
    # The secret is not stored: it follows from this number, the id and SECRET_KEY.
    generation = models.PositiveIntegerField(_("secret number"), default=1, editable=False)
    rotated_at = models.DateTimeField(_("secret changed"), null=True, editable=False)

    created_at = models.DateTimeField(_("added"), db_default=Now(), editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    paused_at = models.DateTimeField(_("paused"), null=True, editable=False)
    paused_because = models.CharField(_("paused because"), max_length=200, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def cache_tags(self) -> list[str]:
        """What is kept of webhooks is which of them want what."""
        return ["webhooks"]

    @property
    def secret(self) -> str:
        """The present secret, as receivers' libraries take it: `whsec_` and base64."""
        present = next(iter(self.signing_keys()))
        return "whsec_" + base64.b64encode(present).decode()

    def signing_keys(self) -> Iterable[bytes]:
        """Yield every key to sign with: the present one first, then those that still count."""
        generations = [self.generation]
        if self.rotated_at is not None and timezone.now() < self.rotated_at + ROTATION:
            generations.append(self.generation - 1)
        # So that a change of SECRET_KEY can be a rotation too.
        for secret_key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
            for generation in generations:
                yield self._key(generation, secret_key)

    def _key(self, generation: int, secret_key: str | bytes) -> bytes:
        name = f"{self.pk}:{generation}"
        return salted_hmac("webhooks", name, secret=secret_key, algorithm="sha256").digest()


class Delivery(models.Model):
    """One event for one webhook, from the moment it happened."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        HELD = "held", _("held while the webhook is paused")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    # What a receiver tells a second delivery from another event by.
    uuid = models.UUIDField(_("id"), default=uuid4, unique=True, editable=False)
    topic = models.CharField(_("topic"), max_length=100)
    payload = models.JSONField(_("payload"), encoder=DjangoJSONEncoder)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    status = models.PositiveSmallIntegerField(_("last status"), null=True)
    answer = models.TextField(_("last answer"), blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True)
    created_at = models.DateTimeField(_("happened"), db_default=Now())
    delivered_at = models.DateTimeField(_("delivered"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhooks_delivery_log"),
            models.Index(
                fields=["webhook"], condition=Q(state="held"), name="webhooks_delivery_held"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["delivered", "failed"]),
                name="webhooks_delivery_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.uuid}"
