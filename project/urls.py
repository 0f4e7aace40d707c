"""Every address of the site: one include per app."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("apps.accounts.urls")),
    path("inbox/", include("apps.mail.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("apps.operations.urls")),
    path("", include("apps.social.urls")),
    path("", include("apps.photos.urls")),
    path("media/renditions/", include("apps.thumbnails.urls")),
]

handler500 = "apps.operations.views.server_error"
