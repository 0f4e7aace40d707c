"""Accounts: our pages first, then those of allauth."""

from __future__ import annotations

from django.urls import include, path, re_path

from apps.accounts import views

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("avatar/state/", views.avatar_state, name="avatar_state"),
    path("delete/", views.delete, name="account_delete"),
    path("letter/", views.ask_for_letter, name="ask_for_letter"),
    # In place of allauth's view of this name, which logs somebody out when a link is opened.
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/\Z", views.confirm, name="account_confirm_email"),
    path("sessions/", include("allauth.usersessions.urls")),
    path("", include("allauth.account.urls")),
]
