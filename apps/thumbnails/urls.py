"""Where renditions are served; storage names look exactly like this, and nothing else passes."""

from __future__ import annotations

from django.urls import re_path

from apps.thumbnails import views

urlpatterns = [
    re_path(
        r"^(?P<name>[a-z0-9]{1,12}/[0-9a-f]{2}/[0-9a-f]{40}/[0-9]{1,5})\.(?P<extension>webp|jpg)\Z",
        views.rendition,
        name="rendition",
    ),
]
