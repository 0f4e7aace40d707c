from __future__ import annotations

from django.apps import AppConfig

from apps import live


class SocialConfig(AppConfig):
    name = "apps.social"
    label = "social"

    def ready(self) -> None:
        from apps.social import selectors  # noqa: PLC0415 - models come after the registry

        live.extend("photo", read_state=selectors.read_live_talk)
        live.register("user", may_listen=selectors.may_hear, read_state=selectors.read_live_bell)
