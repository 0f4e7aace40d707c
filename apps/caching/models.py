from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Undelivered(models.Model):
    """Tags that changed in a committed transaction, and a server that may not know it yet.

    Written with the change itself, deleted once the new versions are on the servers: a row that
    stays for more than a moment was left by a process that died, or names a server that is away.
    """

    tags = models.JSONField(_("tags"), help_text=_("None named: everything."))
    server = models.CharField(
        _("server"),
        max_length=200,
        blank=True,
        db_default="",
        help_text=_("The server that lacks them; empty: nobody knows, so any may."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("undelivered invalidation")
        verbose_name_plural = _("undelivered invalidations")

    def __str__(self) -> str:
        return f"{', '.join(self.tags) or '*'} → {self.server or '?'}"
