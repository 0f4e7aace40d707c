"""People for operators: who they are and whether their address is proved; never a password."""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.usersessions.admin  # noqa: F401 - both register what is taken away below
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts import services
from apps.accounts.models import User

# Addresses change by their owners' confirmation only.
admin.site.unregister(EmailAddress)
# Its form holds the keys of sessions: who reads one is logged in as somebody else.
admin.site.unregister(UserSession)
# One page to log in, with its rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class ConfirmedFilter(admin.SimpleListFilter):
    title = _("confirmed")
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        return queryset.filter(confirmed_at__isnull=self.value() == "no")


@admin.register(User)
class PersonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """People come by sign-up or `createsuperuser`, so nobody is added here."""

    list_display = ["username", "display_name", "email", "is_proved", "is_staff", "date_joined"]
    list_filter = [ConfirmedFilter, "is_active", "is_staff", "avatar_state"]
    search_fields = ["username", "display_name", "email"]
    ordering = ["-date_joined"]
    date_hierarchy = "date_joined"
    filter_horizontal = ["groups", "user_permissions"]
    actions = ["confirm_by_hand", "send_letter_again"]
    fieldsets = [
        (None, {"fields": ["username", "email", "confirmed_at", "date_joined", "last_login"]}),
        (_("Profile"), {"fields": ["display_name", "bio", "language"]}),
        (_("Avatar"), {"fields": ["avatar_state", "avatar_problem"]}),
        (
            _("Permissions"),
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
    ]
    always_read_only = (
        "username",
        "email",
        "confirmed_at",
        "date_joined",
        "last_login",
        "avatar_state",
        "avatar_problem",
    )
    powers = ("is_staff", "is_superuser", "groups", "user_permissions")

    @admin.display(boolean=True, description=_("confirmed"), ordering="confirmed_at")
    def is_proved(self, person: User) -> bool:
        return person.is_confirmed

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Who may give powers has them all: otherwise staff could make themselves superusers."""
        is_superuser = getattr(request.user, "is_superuser", False)
        return self.always_read_only if is_superuser else (*self.always_read_only, *self.powers)

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: ModelForm[User],
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        services.moderate(person=obj, fields=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_account(person=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            if self._may_touch(request, person):
                services.delete_account(person=person)

    @admin.action(permissions=["change"], description=_("Confirm the address by hand"))
    def confirm_by_hand(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        waiting = [person for person in queryset if not (person.is_confirmed or person.is_ghost)]
        for person in waiting:
            services.confirm(person=person)
        self._say(request, ngettext("%d confirmed.", "%d confirmed.", len(waiting)), len(waiting))

    @admin.action(permissions=["change"], description=_("Send the confirmation letter again"))
    def send_letter_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        waiting = [person for person in queryset if not (person.is_confirmed or person.is_ghost)]
        for person in waiting:
            services.ask_for_letter(email=person.email)
        text = ngettext("%d letter is on its way.", "%d letters are on their way.", len(waiting))
        self._say(request, text, len(waiting))

    def _may_touch(self, request: HttpRequest, person: User | None) -> bool:
        """A superuser is changed by superusers only."""
        is_above = person is not None and person.is_superuser
        return not is_above or bool(getattr(request.user, "is_superuser", False))

    def _say(self, request: HttpRequest, text: str, count: int) -> None:
        self.message_user(request, text % count, messages.SUCCESS)
