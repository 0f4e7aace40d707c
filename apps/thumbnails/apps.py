from __future__ import annotations

from django.apps import AppConfig


class ThumbnailsConfig(AppConfig):
    name = "apps.thumbnails"
    label = "thumbnails"
