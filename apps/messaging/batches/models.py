"""What makes counting exact: which messages of which producer are folded."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from psycopg.types.multirange import Multirange


class NumbersField(models.Field):  # type: ignore[type-arg]
    """A set of whole numbers as PostgreSQL keeps it in ranges (version 14 or newer).

    A thousand numbers without a gap between them are one range.
    """

    def db_type(self, connection: Any) -> str:  # noqa: ARG002
        return "int8multirange"


class Producer(models.Model):
    """A process that emits events. Its messages are numbered, and each number is folded once."""

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(_("host and process"), max_length=200)
    folded = NumbersField(default=Multirange)
    # What `folded` was before the last flush: how a flush sees, in the statement that takes the
    # numbers, which of them were taken before.
    previous = NumbersField(default=Multirange)
    dropped = models.PositiveBigIntegerField(_("events lost"), default=0)
    seen_at = models.DateTimeField(_("last message"), db_default=Now())

    class Meta:
        app_label = "messaging"
        verbose_name = _("producer of events")
        verbose_name_plural = _("producers of events")

    def __str__(self) -> str:
        return self.name
