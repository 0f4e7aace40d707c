"""HTTP in, HTTP out."""

from __future__ import annotations

from apps.photos.views.editing import photo_delete, photo_develop, photo_edit
from apps.photos.views.looking import home, person, photo, photo_card, photo_state
from apps.photos.views.picturing import photo_edit_picture, photo_edit_preview
from apps.photos.views.seeing import photo_seen
from apps.photos.views.uploading import upload

__all__ = [
    "home",
    "person",
    "photo",
    "photo_card",
    "photo_delete",
    "photo_develop",
    "photo_edit",
    "photo_edit_picture",
    "photo_edit_preview",
    "photo_seen",
    "photo_state",
    "upload",
]
