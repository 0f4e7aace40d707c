from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

from apps.operations.checks import check_settings


class OperationsConfig(AppConfig):
    name = "apps.operations"
    label = "operations"

    def ready(self) -> None:
        register(check_settings, "safelight")
