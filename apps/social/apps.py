from __future__ import annotations

from django.apps import AppConfig

from apps import live


class SocialConfig(AppConfig):
    name = "apps.social"
    label = "social"

    def ready(self) -> None:
        # Models come after the registry.
        from apps.photos.services import before_deletion  # noqa: PLC0415
        from apps.social import selectors, services  # noqa: PLC0415

        before_deletion(services.forget_photo)
        live.extend("photo", read_state=selectors.read_live_talk)
        live.register("user", may_listen=selectors.may_hear, read_state=selectors.read_live_bell)
