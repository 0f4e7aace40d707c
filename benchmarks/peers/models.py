"""Rows of a database for the caches of querysets, and for the races."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Thing(models.Model):
    """What the races write and read."""

    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class PhotoRow(models.Model):
    """The twelve rows of `caching_data`, as a table."""

    owner = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=500)
    likes = models.IntegerField()
    width = models.IntegerField()
    height = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.title


class Plain(PhotoRow):
    """Read anew each time, or kept by cacheops where its queryset says so."""


class Watched(PhotoRow):
    """Kept by cachalot, which keeps every query of a table."""
