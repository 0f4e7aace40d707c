"""POST, and back to where one was. Asked for JSON, the answer says what is true now."""

from __future__ import annotations

from apps.social.views.comments import comment_delete, comments
from apps.social.views.follows import follow, unfollow
from apps.social.views.likes import like, unlike

__all__ = ["comment_delete", "comments", "follow", "like", "unfollow", "unlike"]
