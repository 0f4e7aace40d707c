from __future__ import annotations

from django.urls import path

from apps.mail import views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("<str:key>/", views.inbox_letter, name="inbox_letter"),
    path("<str:key>/html/", views.inbox_html, name="inbox_html"),
]
