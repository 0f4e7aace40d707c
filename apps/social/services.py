"""What people do with each other: every write is here, and each may be asked for twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps import caching
from apps.accounts.models import User
from apps.photos import services as photos
from apps.photos.models import Photo
from apps.social import selectors
from apps.social.exceptions import NotConfirmed, NotPublished, Oneself, TooFast
from apps.social.models import Comment, Follow, Like
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
    return is_new


@transaction.atomic
def unfollow_person(*, follower: User, followed: User) -> bool:
    """Say whether there was anything to end."""
    return _remove(Follow.objects.filter(follower=follower, followed=followed))


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
    return is_new


@transaction.atomic
def unlike_photo(*, person: User, photo: Photo) -> bool:
    """Say whether there was anything to take back."""
    _hold(photo.pk)
    was_there = _remove(Like.objects.filter(person=person, photo=photo))
    if was_there:
        photos.change_like_count(photo_id=photo.pk, by=-1)
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
    return comment


@transaction.atomic
def delete_comment(*, comment: Comment) -> bool:
    """Say whether it was still there."""
    _hold(comment.photo_id)
    was_there = _remove(Comment.objects.filter(pk=comment.pk))
    if was_there:
        photos.change_comment_count(photo_id=comment.photo_id, by=-1)
    return was_there


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


def _remove(rows: QuerySet[Any]) -> bool:
    """Delete and count: of two who try in the same moment, one did it."""
    found = list(rows)
    count, _ = rows.delete()
    caching.changed(*found)
    return bool(count)
