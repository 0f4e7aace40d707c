from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.webhooks import services
from apps.webhooks.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Who is told what. A secret is shown when it is made, and by `manage.py webhooks secret`."""

    list_display = ["name", "url", "pattern", "is_active", "failing_since", "paused_because"]
    search_fields = ["name", "url"]
    fields = ["name", "url", "pattern", "created_at", "failing_since", "paused_at",
              "paused_because", "rotated_at"]  # fmt: skip
    readonly_fields = ["created_at", "failing_since", "paused_at", "paused_because", "rotated_at"]
    actions = ["ping", "pause", "resume", "rotate_secret"]

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, webhook: Webhook) -> bool:
        return webhook.paused_at is None

    def save_model(
        self,
        request: HttpRequest,
        obj: Webhook,
        form: ModelForm[Webhook],
        change: bool,  # noqa: FBT001 - the admin passes it
    ) -> None:
        if change:
            services.edit_webhook(webhook=obj)
            return
        added = services.add_webhook(name=obj.name, url=obj.url, pattern=obj.pattern)
        obj.pk = added.pk
        self._show_secret(request, added)

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        services.delete_webhook(webhook=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            services.delete_webhook(webhook=webhook)

    @admin.action(description=_("Send a test event"), permissions=["change"])
    def ping(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            services.ping(webhook=webhook)
        self.message_user(request, _("Its outcome stands among the deliveries."), messages.SUCCESS)

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        because = _("by %(name)s") % {"name": request.user.get_username()}
        for webhook in queryset:
            services.pause(webhook=webhook, because=str(because))

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        held = sum(services.resume(webhook=webhook) for webhook in queryset)
        text = ngettext("%d held delivery is sent.", "%d held deliveries are sent.", held)
        self.message_user(request, text % held, messages.SUCCESS)

    @admin.action(description=_("Change the secret"), permissions=["change"])
    def rotate_secret(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            services.rotate_secret(webhook=webhook)
            webhook.refresh_from_db()
            self._show_secret(request, webhook)

    def _show_secret(self, request: HttpRequest, webhook: Webhook) -> None:
        text = _("The secret of %(name)s, for those who run the service: %(secret)s")
        values = {"name": webhook.name, "secret": webhook.secret}
        self.message_user(request, text % values, messages.WARNING)


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was told to whom, and what they answered: evidence, so nothing is edited."""

    list_display = ["uuid", "webhook", "topic", "state", "attempts", "status", "milliseconds",
                    "created_at"]  # fmt: skip
    list_filter = ["state", "webhook", "topic"]
    list_select_related = ["webhook"]
    search_fields = ["=uuid", "topic"]
    show_full_result_count = False
    exclude = ["payload"]
    readonly_fields = ["payload_text"]
    actions = ["redeliver"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_webhook")

    @admin.display(description=_("payload"))
    def payload_text(self, delivery: Delivery) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(delivery.payload, indent=2))

    @admin.action(description=_("Deliver again"), permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = services.redeliver(deliveries=queryset)
        text = ngettext("%d delivery is queued.", "%d deliveries are queued.", count)
        self.message_user(request, text % count, messages.SUCCESS)
