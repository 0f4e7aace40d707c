from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.mail import services
from apps.mail.models import Letter


@admin.register(Letter)
class LetterAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What was written to whom and what became of it. Letters are evidence: nothing is edited."""

    list_display = ["id", "to", "kind", "state", "attempts", "code", "created_at", "sent_at"]
    list_display_links = ["id", "to"]
    list_filter = ["state", "kind", "language"]
    search_fields = ["to", "subject", "message_id"]
    date_hierarchy = "created_at"
    # A letter may hold the key to an account: who may see that it was sent may not read it.
    exclude = ["text", "html"]
    actions = ["send_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Letter | None = None) -> bool:
        return False

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mail.change_letter")

    @admin.action(description=_("Send again"), permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Letter]) -> None:
        chosen = queryset.count()
        queued = services.send_again(letters=queryset)
        if queued:
            done = ngettext("%d letter is queued again.", "%d letters are queued again.", queued)
            self.message_user(request, done % queued, messages.SUCCESS)
        if queued < chosen:
            left = _("Letters that were sent, or are on their way, were left alone.")
            self.message_user(request, left, messages.WARNING)
