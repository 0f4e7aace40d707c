from __future__ import annotations

from django.apps import AppConfig
from django.core import checks as django_checks
from django.utils.module_loading import autodiscover_modules


class CachingConfig(AppConfig):
    name = "apps.caching"
    label = "caching"

    def ready(self) -> None:
        from apps.caching import checks  # noqa: PLC0415 - needs the settings

        for check in checks.ALWAYS:
            django_checks.register(check)
        django_checks.register(checks.check_shared, deploy=True)
        autodiscover_modules("widgets")
