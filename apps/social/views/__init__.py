"""POST, and back to where one was. Asked for JSON, the answer says what is true now."""

from __future__ import annotations

from apps.social.views.comments import comment_delete, comment_list, comments
from apps.social.views.follows import follow, unfollow
from apps.social.views.likes import like, unlike
from apps.social.views.notifications import (
    notifications,
    notifications_choose,
    notifications_seen,
)

__all__ = [
    "comment_delete",
    "comment_list",
    "comments",
    "follow",
    "like",
    "notifications",
    "notifications_choose",
    "notifications_seen",
    "unfollow",
    "unlike",
]
