from __future__ import annotations

from django.apps import AppConfig

from apps import live


class PhotosConfig(AppConfig):
    name = "apps.photos"
    label = "photos"

    def ready(self) -> None:
        from apps.photos import selectors  # noqa: PLC0415 - models come after the registry

        live.register(
            "photo", may_listen=selectors.may_listen, read_state=selectors.read_live_state
        )
