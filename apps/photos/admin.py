"""Photos for staff: what came in, what became of it, another try, and the way out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.photos import selectors, services
from apps.photos.models import Photo

WORDS = ["title", "description", "alt"]
FACTS = [
    "owner", "state", "why", "original_name", "format", "bytes", "sha256", "width", "height",
    "camera", "taken_at", "like_count", "comment_count", "created_at", "published_at",
]  # fmt: skip


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["thumbnail", "__str__", "owner", "state", "why", "created_at"]
    list_display_links = ["thumbnail", "__str__"]
    list_filter = ["state", "format", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["title", "original_name", "owner__username", "id"]
    date_hierarchy = "created_at"
    actions = ["develop_again"]
    fields = ["thumbnail", *WORDS, *FACTS]
    readonly_fields = ["thumbnail", *FACTS]

    @admin.display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> SafeString | str:
        size = selectors.describe(photo).stamp
        if size is None:
            return "-"
        return format_html('<img src="{}" width="48" height="48" alt="{}">', size.url, photo)

    @admin.display(description=_("reason"))
    def why(self, photo: Photo) -> str:
        return selectors.describe(photo).reason_text or "-"

    @admin.action(description=_("Develop the selected photos again"), permissions=["change"])
    def develop_again(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        for photo in queryset:
            services.develop_again(photo=photo)
        words = ngettext(
            "%(count)d photo is queued.", "%(count)d photos are queued.", len(queryset)
        )
        self.message_user(request, words % {"count": len(queryset)}, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Photo, form: Any, change: Any) -> None:
        services.edit_photo(photo=obj, title=obj.title, description=obj.description, alt=obj.alt)

    def delete_model(self, request: HttpRequest, obj: Photo) -> None:
        services.delete_photo(photo=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        for photo in queryset:
            services.delete_photo(photo=photo)
