from __future__ import annotations

from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.utils.translation import gettext_lazy as _

from apps.mail.validators import validate_address


class LetterQuerySet(models.QuerySet["Letter"]):
    def to_address(self, address: str) -> Self:
        return self.filter(to__iexact=address)

    def settled(self) -> Self:
        """Letters whose fate is known, as far as it can be."""
        return self.filter(state__in=Letter.SETTLED)


class Letter(models.Model):
    """One letter to one address, from the moment it is written."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        WAITING = "waiting", _("waiting for another try")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        DEAD = "dead", _("given up")

    SETTLED = (State.SENT, State.REFUSED, State.DEAD)

    uuid = models.UUIDField(_("public id"), default=uuid4, unique=True, editable=False)
    to = models.CharField(_("to"), max_length=254, validators=[validate_address])
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    language = models.CharField(_("language"), max_length=15)
    kind = models.CharField(_("kind"), max_length=50)
    about = models.CharField(
        _("about"), max_length=100, blank=True, help_text=_("The row it is about, as model:id.")
    )
    message_id = models.CharField(_("Message-ID"), max_length=250, unique=True)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    code = models.PositiveSmallIntegerField(_("last SMTP code"), null=True, blank=True)
    reply = models.TextField(_("last reply"), blank=True)

    created_at = models.DateTimeField(_("written"), db_default=Now())
    sending_at = models.DateTimeField(_("last sent off"), null=True, blank=True)
    resent_at = models.DateTimeField(
        _("sent once more"),
        null=True,
        blank=True,
        help_text=_("The first sending was cut before its answer came: it may have arrived twice."),
    )
    sent_at = models.DateTimeField(_("accepted"), null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-id"]
        indexes = [
            models.Index(Upper("to"), F("id").desc(), name="mail_letter_to"),
            models.Index(fields=["state"], condition=~Q(state="sent"), name="mail_letter_not_sent"),
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_letter_sent_at",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"
