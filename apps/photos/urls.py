"""Addresses of photos, and of the people whose they are."""

from __future__ import annotations

from django.urls import path

from apps.photos import views

urlpatterns = [
    path("", views.home, name="home"),
    path("people/<str:username>/", views.person, name="person"),
    path("photos/upload/", views.upload, name="upload"),
    path("photos/<uuid:pk>/", views.photo, name="photo"),
    path("photos/<uuid:pk>/state/", views.photo_state, name="photo_state"),
    path("photos/<uuid:pk>/seen/", views.photo_seen, name="photo_seen"),
    path("photos/<uuid:pk>/card/", views.photo_card, name="photo_card"),
    path("photos/<uuid:pk>/edit/", views.photo_edit, name="photo_edit"),
    path("photos/<uuid:pk>/edit/picture/", views.photo_edit_picture, name="photo_edit_picture"),
    path("photos/<uuid:pk>/edit/preview/", views.photo_edit_preview, name="photo_edit_preview"),
    path("photos/<uuid:pk>/delete/", views.photo_delete, name="photo_delete"),
    path("photos/<uuid:pk>/develop/", views.photo_develop, name="photo_develop"),
]
