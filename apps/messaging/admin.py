from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.messaging import dead, grouped, presence, queues
from apps.messaging.batches.models import Producer
from apps.messaging.models import Job, Queue, QueueSample, Schedule, Worker


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Rows that the site writes itself: people look at them, and decide by actions."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnly):
    """What was started and what became of it; dead jobs are retried or discarded here."""

    list_display = [
        "id", "task", "about", "state", "queue", "priority", "attempt", "error_line",
        "created_at", "due_at",
    ]  # fmt: skip
    list_display_links = ["id", "task"]
    list_filter = ["state", "queue", "priority", "task"]
    search_fields = [
        "=id", "task", "=about", "=request_id", "=fingerprint", "arguments", "error",
    ]  # fmt: skip
    ordering = ["-id"]
    actions = ["retry", "discard"]
    exclude = ["traceback", "arguments", "history"]
    readonly_fields = ["arguments_text", "history_text", "traceback_text"]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(partial(grouped.page, self))
        return [path("dead/", page, name="messaging_job_dead"), *super().get_urls()]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_job")

    @admin.display(description=_("last error"))
    def error_line(self, job: Job) -> str:
        return job.error.partition("\n")[0][:100]

    @admin.display(description=_("arguments"))
    def arguments_text(self, job: Job) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(job.arguments, indent=2, sort_keys=True))

    @admin.display(description=_("history"))
    def history_text(self, job: Job) -> SafeString:
        line = "{} {} ({} s, {}): {}\n"
        keys = ("at", "outcome", "seconds", "worker", "error")
        entries = ([entry.get(key, "") for key in keys] for entry in job.history)
        return format_html("<pre>{}</pre>", format_html_join("", line, entries))

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
        chosen = list(queryset.order_by().values_list("pk", flat=True))
        count = how(chosen)
        if count < len(chosen):
            self.message_user(request, _("Jobs that are not dead were left alone."), messages.INFO)
        return count


@admin.register(Queue)
class QueueAdmin(ReadOnly):
    """Which queues are paused, by whom and why. A pause survives every restart."""

    list_display = ["name", "paused_at", "paused_by", "reason"]
    actions = ["pause", "resume"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_queue")

    @admin.action(
        description=_("Pause: what runs is ended, nothing begins"), permissions=["decide"]
    )
    def pause(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        by = request.user.get_username()
        count = sum(queues.pause(queue.name, by=by) for queue in queryset)
        text = ngettext("%d queue is paused.", "%d queues are paused.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    @admin.action(description=_("Resume"), permissions=["decide"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        count = sum(queues.resume(queue.name) for queue in queryset)
        text = ngettext("%d queue goes on.", "%d queues go on.", count)
        self.message_user(request, text % count, messages.SUCCESS)


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    """The workers that were seen lately."""

    list_display = [
        "name", "condition_text", "queue_names", "pool", "concurrency", "jobs", "started_at",
        "beat_at", "release",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        return presence.workers()

    @admin.display(description=_("condition"))
    def condition_text(self, worker: Worker) -> str:
        words = {"alive": _("alive"), "lost": _("lost"), "stopped": _("stopped")}
        return str(words[worker.condition])

    @admin.display(description=_("queues"))
    def queue_names(self, worker: Worker) -> str:
        return ", ".join(worker.queues)

    @admin.display(description=_("running jobs"))
    def jobs(self, worker: Worker) -> int:
        return len(worker.running)


@admin.register(QueueSample)
class QueueSampleAdmin(ReadOnly):
    """How the queues were doing."""

    list_display = [
        "taken_at", "queue", "due", "later", "running", "messages", "oldest", "done", "failed",
    ]  # fmt: skip
    list_filter = ["queue"]
    ordering = ["-taken_at", "queue"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnly):
    """What starts at intervals, and when it did last."""

    list_display = ["task", "every", "last_due"]


@admin.register(Producer)
class ProducerAdmin(ReadOnly):
    """The processes that emit events: how much of each was folded, what it lost."""

    list_display = ["name", "messages_folded", "messages_missing", "dropped", "seen_at"]
    ordering = ["-seen_at"]
    fields = ["id", "name", "messages_folded", "messages_missing", "dropped", "seen_at"]
    readonly_fields = ["messages_folded", "messages_missing"]

    @admin.display(description=_("messages folded"))
    def messages_folded(self, producer: Producer) -> int:
        return sum(numbers.upper - numbers.lower for numbers in producer.folded)

    @admin.display(description=_("messages still to come"))
    def messages_missing(self, producer: Producer) -> int:
        """Count those in between: later ones of this producer are folded already."""
        if not producer.folded:
            return 0
        reached: int = producer.folded[-1].upper - producer.folded[0].lower
        return reached - self.messages_folded(producer)
