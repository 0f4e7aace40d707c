"""What is looked after behind the back of the pages."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps import caching, messaging
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import selectors
from apps.social.models import Comment, Notification

PRUNED_AT_ONCE = 1000


@transaction.atomic
def tell_conversation(*, comment_id: int) -> int:
    """Tell those who commented on the photo before, once each, and return how many they are.

    Nobody is told of a comment that is gone, nor of a photo that others may not see any more.
    """
    # The photo's row first, as everything does that adds to a photo or takes from it.
    of_comment = Photo.objects.published().filter(comments=comment_id)
    photo = of_comment.select_for_update(no_key=True, of=["self"]).first()
    comment = Comment.objects.filter(pk=comment_id).first()
    if photo is None or comment is None:
        return 0
    told = [
        Notification(
            recipient_id=recipient_id,
            actor_id=comment.author_id,
            verb=Notification.Verb.ALSO,
            photo=photo,
            comment=comment,
        )
        for recipient_id in selectors.list_conversation(comment=comment, owner_id=photo.owner_id)
    ]
    # Whoever was told when this job was begun before is not told again.
    Notification.objects.bulk_create(told, ignore_conflicts=True)
    caching.invalidate(*(tag for notification in told for tag in notification.cache_tags()))
    for notification in told:
        messaging.publish("user.notified", {"user": notification.recipient_id})
    return len(told)


def prune_notifications() -> int:
    """Forget what was seen and is old, some at a time, and return how much."""
    before = timezone.now() - timedelta(days=settings.NOTIFICATION_DAYS)
    old = Notification.objects.filter(seen_at__isnull=False, created_at__lt=before).order_by("pk")
    total = 0
    while count := _delete_some(old):
        total += count
    return total


@transaction.atomic
def _delete_some(notifications: QuerySet[Notification]) -> int:
    # One that is locked is on its way out by itself.
    some = notifications.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return Notification.objects.filter(pk__in=list(some[:PRUNED_AT_ONCE])).delete()[0]


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
