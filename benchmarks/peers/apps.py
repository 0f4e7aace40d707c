from __future__ import annotations

from django.apps import AppConfig


class PeersConfig(AppConfig):
    name = "benchmarks.peers"
    label = "bench"
    default_auto_field = "django.db.models.BigAutoField"
