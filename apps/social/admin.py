from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.social import services
from apps.social.models import Comment


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """To find what somebody said and take it away. Nobody's words are changed by others."""

    list_display = ["text_start", "author", "photo", "created_at"]
    list_select_related = ["author", "photo"]
    search_fields = ["text", "author__username"]
    date_hierarchy = "created_at"
    ordering = ["-id"]
    show_full_result_count = False

    @admin.display(description=Comment._meta.get_field("text").verbose_name)
    def text_start(self, comment: Comment) -> str:
        return str(comment)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        services.delete_comment(comment=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        for comment in queryset:
            services.delete_comment(comment=comment)
