from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from apps.announcements import services
from apps.announcements.models import Announcement


@admin.register(Announcement)
class AnnouncementAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What everybody is told. Open pages show it within a second of saving."""

    list_display = ["__str__", "level", "is_shown", "starts_at", "ends_at"]
    list_filter = ["is_shown", "level"]
    search_fields = ["text"]
    fields = ["text", "level", "starts_at", "ends_at", "is_dismissible"]

    def save_model(
        self,
        request: HttpRequest,
        obj: Announcement,
        form: ModelForm[Announcement],
        change: bool,  # noqa: FBT001 - the admin passes it
    ) -> None:
        services.save_announcement(announcement=obj)

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        services.delete_announcement(announcement=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        for announcement in queryset:
            services.delete_announcement(announcement=announcement)
