from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.messaging.batches.models import Producer

__all__ = ["Job", "Producer"]


class JobQuerySet(models.QuerySet["Job"]):
    def claimable(self) -> Self:
        """Due, or left behind by a worker whose lease ran out (by the database's clock)."""
        return self.filter(
            Q(state=Job.State.QUEUED, due_at__lte=Now())
            | Q(state=Job.State.RUNNING, lease_until__lt=Now())
        )

    def dead(self) -> Self:
        return self.filter(state=Job.State.DEAD)


class Job(models.Model):
    """One launch of a task. The row is the truth; messages on the broker only point at it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        DEAD = "dead", _("dead")
        DISCARDED = "discarded", _("discarded")

    task = models.CharField(_("task"), max_length=200)
    arguments = models.JSONField(_("arguments"), default=dict)
    queue = models.CharField(_("queue"), max_length=50)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.QUEUED, db_default="queued"
    )
    time_limit = models.PositiveIntegerField(_("time limit in seconds"), null=True, blank=True)

    # The fence: every outcome is written on the condition that this number has not moved on.
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    deaths = models.PositiveIntegerField(_("deaths in a row"), default=0)
    owner = models.CharField(_("worker"), max_length=200, blank=True)
    error = models.TextField(_("last error"), blank=True)
    traceback = models.TextField(_("traceback"), blank=True)

    created_at = models.DateTimeField(_("created"), db_default=Now())
    tried_since = models.DateTimeField(_("tried since"), db_default=Now())
    due_at = models.DateTimeField(_("due"), db_default=Now())
    rung_at = models.DateTimeField(_("bell rung"), db_default=Now(), null=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(
                "queue", "due_at", condition=Q(state="queued"), name="messaging_job_queued"
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state="running"), name="messaging_job_running"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(state__in=["done", "dead", "discarded"]),
                name="messaging_job_finished",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="messaging_job_lease",
                condition=~Q(state="running") | Q(lease_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"
