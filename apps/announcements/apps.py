from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from apps import live


class AnnouncementsConfig(AppConfig):
    name = "apps.announcements"
    label = "announcements"
    verbose_name = _("Announcements")

    def ready(self) -> None:
        from apps.announcements import widgets  # noqa: PLC0415 - models come after the registry

        live.register(
            widgets.KIND, may_listen=widgets.may_listen, read_state=widgets.read_live_state
        )
