"""What staff tell everybody, on every page."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TEXT_LENGTH = 300


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def shown(self) -> Self:
        """Those on the pages, the newest first."""
        return self.filter(is_shown=True).order_by("-starts_at", "-id")

    def out_of_step(self, moment: datetime) -> Self:
        """Those that have begun and are not shown, or are over and still are."""
        is_due = Q(starts_at__lte=moment) & (Q(ends_at=None) | Q(ends_at__gt=moment))
        return self.filter((is_due & Q(is_shown=False)) | (~is_due & Q(is_shown=True)))


class Announcement(models.Model):
    """One sentence or two for everybody, from a moment on, for a while or until further notice."""

    class Level(models.TextChoices):
        INFO = "info", _("good to know")
        WARNING = "warning", _("important: read out at once")

    text = models.CharField(_("text"), max_length=TEXT_LENGTH)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices, default=Level.INFO)
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Left empty: until it is deleted.")
    )
    is_dismissible = models.BooleanField(
        _("may be put away"), default=True, help_text=_("By each reader, in each browser.")
    )
    # What pages go by. The clock alone changes no page: `services.turn` does, and tells the cache.
    is_shown = models.BooleanField(_("shown"), default=False, editable=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="announcement_ends_after_its_start",
                violation_error_message=_("It has to end after it has begun."),
            ),
            models.CheckConstraint(
                condition=Q(level__in=["info", "warning"]), name="announcement_level_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-starts_at"], condition=Q(is_shown=True), name="announcement_shown"
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def version(self) -> str:
        """Name these words: a reader who put others away has not put these away."""
        return f"{self.pk}-{int(self.changed_at.timestamp())}"

    @property
    def is_urgent(self) -> bool:
        return self.level == self.Level.WARNING

    def is_due(self, moment: datetime) -> bool:
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)

    def cache_tags(self) -> list[str]:
        return ["announcements"]
