from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.messaging import dead
from apps.messaging.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What was started and what became of it; dead jobs are retried or discarded here."""

    list_display = ["id", "task", "state", "queue", "attempt", "error_line", "created_at", "due_at"]
    list_display_links = ["id", "task"]
    list_filter = ["state", "queue", "task"]
    search_fields = ["=id", "task", "arguments", "error"]
    show_full_result_count = False
    ordering = ["-id"]
    actions = ["retry", "discard"]
    exclude = ["traceback", "arguments"]
    readonly_fields = ["arguments_text", "traceback_text"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_job")

    @admin.display(description=_("last error"))
    def error_line(self, job: Job) -> str:
        return job.error.partition("\n")[0][:100]

    @admin.display(description=_("arguments"))
    def arguments_text(self, job: Job) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(job.arguments, indent=2, sort_keys=True))

    @admin.display(description=_("traceback"))
    def traceback_text(self, job: Job) -> SafeString:
        return format_html("<pre>{}</pre>", job.traceback)

    @admin.action(description=_("Try dead jobs again"), permissions=["decide"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = self._decide(request, queryset, dead.retry)
        if count:
            text = ngettext("%d job is tried again.", "%d jobs are tried again.", count)
            self.message_user(request, text % count, messages.SUCCESS)

    @admin.action(description=_("Discard dead jobs"), permissions=["decide"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = self._decide(request, queryset, dead.discard)
        if count:
            text = ngettext("%d job was discarded.", "%d jobs were discarded.", count)
            self.message_user(request, text % count, messages.SUCCESS)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[Job], how: Callable[[Iterable[int]], int]
    ) -> int:
        chosen = list(queryset.values_list("pk", flat=True))
        count = how(chosen)
        if count < len(chosen):
            self.message_user(request, _("Jobs that are not dead were left alone."), messages.INFO)
        return count
