"""What people do with each other: every write is here, and each may be asked for twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps import caching, messaging
from apps.accounts.models import User
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import selectors, tasks
from apps.social.exceptions import NotConfirmed, NotPublished, Oneself, TooFast
from apps.social.models import Comment, Follow, Like, Notification, NotificationChoice
from apps.social.validators import tidy_text
from apps.webhooks import services as webhooks

COMMENTS_A_MINUTE = 6
MINUTE = timedelta(minutes=1)


@transaction.atomic
def follow_person(*, follower: User, followed: User) -> bool:
    """Say whether this was new. Raises NotConfirmed or Oneself."""
    _require_confirmed(follower)
    if follower == followed:
        raise Oneself
    follow, is_new = Follow.objects.get_or_create(follower=follower, followed=followed)
    if is_new:
        caching.changed(follow)
        event = {"follower": follower.as_event(), "followed": followed.as_event()}
        webhooks.announce("user.followed", event)
        _notify(followed.pk, follower, Notification.Verb.FOLLOWED, follow=follow)
    return is_new


@transaction.atomic
def unfollow_person(*, follower: User, followed: User) -> bool:
    """Say whether there was anything to end."""
    return _remove(Follow.objects.filter(follower=follower, followed=followed), "follow")


@transaction.atomic
def like_photo(*, person: User, photo: Photo) -> bool:
    """Say whether this was new. Raises NotConfirmed or NotPublished."""
    _require_confirmed(person)
    _hold_published(photo)
    like, is_new = Like.objects.get_or_create(person=person, photo=photo)
    if is_new:
        photos.change_like_count(photo_id=photo.pk, by=1)
        caching.changed(like)
        event = {"photo": photo.as_event(), "person": person.as_event()}
        webhooks.announce("photo.liked", event)
        if selectors.wants_likes(person_id=photo.owner_id):
            _notify(photo.owner_id, person, Notification.Verb.LIKED, photo=photo, like=like)
        _tell("photo.liked", photo.pk)
    return is_new


@transaction.atomic
def unlike_photo(*, person: User, photo: Photo) -> bool:
    """Say whether there was anything to take back."""
    _hold(photo.pk)
    was_there = _remove(Like.objects.filter(person=person, photo=photo), "like")
    if was_there:
        photos.change_like_count(photo_id=photo.pk, by=-1)
        _tell("photo.unliked", photo.pk)
    return was_there


@transaction.atomic
def comment_on_photo(*, author: User, photo: Photo, text: str) -> Comment:
    """Say something; the same again at once, as after a double click, is the same comment.

    Raises NotConfirmed, NotPublished, TooFast, or ValidationError for the text.
    """
    _require_confirmed(author)
    _hold_published(photo)
    # One at a time for each author, or two requests would both find the limit not reached.
    User.objects.select_for_update(no_key=True).get(pk=author.pk)
    comment = Comment(author=author, photo=photo, text=tidy_text(text))
    recent = selectors.list_comments_since(author=author, moment=timezone.now() - MINUTE)
    for earlier in recent:
        if (earlier.photo_id, earlier.text) == (photo.pk, comment.text):
            return earlier
    if len(recent) >= COMMENTS_A_MINUTE:
        raise TooFast
    comment.full_clean()
    comment.save()
    photos.change_comment_count(photo_id=photo.pk, by=1)
    caching.changed(comment)
    event = {"photo": photo.as_event(), "author": author.as_event(), "text": comment.text}
    webhooks.announce("photo.commented", event)
    _notify(photo.owner_id, author, Notification.Verb.COMMENTED, photo=photo, comment=comment)
    if selectors.is_conversation(comment=comment, owner_id=photo.owner_id):
        # These may be many, and the author need not wait for them.
        tasks.tell_conversation.delay(comment_id=comment.pk)
    _tell("photo.commented", photo.pk)
    return comment


@transaction.atomic
def delete_comment(*, comment: Comment) -> bool:
    """Say whether it was still there."""
    _hold(comment.photo_id)
    was_there = _remove(Comment.objects.filter(pk=comment.pk), "comment")
    if was_there:
        photos.change_comment_count(photo_id=comment.photo_id, by=-1)
        _tell("photo.uncommented", comment.photo_id)
    return was_there


@transaction.atomic
def mark_seen(*, person: User, up_to: int) -> int:
    """Note that somebody has seen their notifications up to this one, and return how many were new.

    What came since the page was made stays new.
    """
    unseen = Notification.objects.filter(recipient=person, pk__lte=up_to).unseen()
    # One that is locked is on its way out: waiting for many of those could lock each other out.
    ids = list(unseen.select_for_update(skip_locked=True).values_list("pk", flat=True))
    count = Notification.objects.filter(pk__in=ids).update(seen_at=timezone.now())
    if count:
        _changed_for(person.pk)
    return count


@transaction.atomic
def choose_notifications(*, person: User, likes: bool, conversations: bool) -> None:
    """Keep what somebody wants to be told of from now on."""
    choice = {"likes": likes, "conversations": conversations}
    NotificationChoice.objects.update_or_create(person=person, defaults=choice)


def forget_photo(photo: Photo) -> None:
    """A photo is being deleted: all that was told about it goes with it, so bells change."""
    for recipient_id in selectors.list_told(photo=photo):
        _changed_for(recipient_id)


def _notify(recipient_id: int, actor: User, verb: str, **about: Any) -> None:
    """Write it in the transaction of what it speaks of: one row, since one person is told."""
    if recipient_id == actor.pk:
        return
    Notification.objects.create(recipient_id=recipient_id, actor=actor, verb=verb, **about)
    _changed_for(recipient_id)


def _changed_for(recipient_id: int) -> None:
    """The number on the bell of this person is another at commit, on open pages too."""
    caching.invalidate(f"notifications:{recipient_id}")
    messaging.publish("user.notified", {"user": recipient_id})


def _tell(event: str, photo_id: UUID) -> None:
    """Tell the open pages of the photo, after what is cached of it is out of date."""
    messaging.publish(event, {"photo": str(photo_id)})


def _require_confirmed(person: User) -> None:
    if not person.is_confirmed:
        raise NotConfirmed


def _hold_published(photo: Photo) -> None:
    """Raise NotPublished unless others see the photo, and will until the transaction ends."""
    if _hold(photo.pk) != Photo.State.READY:
        raise NotPublished


def _hold(photo_id: UUID) -> str:
    """Lock the photo and return its state, "" if it is gone.

    All that changes something about a photo, its deletion included, locks its row first: so
    nothing is added to a photo that is going, and no two of them lock each other out.
    """
    rows = Photo.objects.select_for_update(no_key=True).filter(pk=photo_id)
    return next(iter(rows.values_list("state", flat=True)), "")


def _remove(rows: QuerySet[Any], about: str) -> bool:
    """Delete and count: of two who try in the same moment, one did it.

    `about` is the column by which notifications speak of such rows: they go with them.
    """
    found = list(rows)
    told = Notification.objects.filter(**{f"{about}__in": found})
    recipients = set(told.values_list("recipient_id", flat=True))
    count, _ = rows.delete()
    caching.changed(*found)
    for recipient_id in recipients:
        _changed_for(recipient_id)
    return bool(count)
