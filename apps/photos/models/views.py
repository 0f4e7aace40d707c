"""How often photos were looked at."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.photos.models.photos import Photo


class PhotoViews(models.Model):
    """How often a photo was looked at on one day of the site. By whom is kept nowhere."""

    pk = models.CompositePrimaryKey("photo", "day")
    photo = models.ForeignKey(
        Photo,
        on_delete=models.CASCADE,
        related_name="views",
        db_index=False,  # the primary key begins with it
        verbose_name=_("photo"),
    )
    day = models.DateField(_("day"))
    count = models.PositiveBigIntegerField(_("views"), default=0)

    class Meta:
        verbose_name = _("views of a photo")
        verbose_name_plural = _("views of photos")

    def __str__(self) -> str:
        return f"{self.photo_id} {self.day}: {self.count}"
