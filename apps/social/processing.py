"""What is looked after behind the back of the pages."""

from __future__ import annotations

from django.db import transaction

from apps import caching
from apps.photos import services as photos
from apps.social import selectors


@transaction.atomic
def mend_counts() -> int:
    """Set right the numbers beside the photos, and return of how many they were wrong.

    A deleted account takes its likes and comments along without asking the services.
    """
    wrong = selectors.list_wrong_counts()
    for photo_id, likes, comments in wrong:
        if likes:
            photos.change_like_count(photo_id=photo_id, by=likes)
        if comments:
            photos.change_comment_count(photo_id=photo_id, by=comments)
        caching.invalidate(f"likes:{photo_id}", f"comments:{photo_id}")
    return len(wrong)
