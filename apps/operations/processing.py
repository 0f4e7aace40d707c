"""The demo's second half: what people say to a picture once it is developed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps import caching, messaging
from apps.accounts.models import User
from apps.operations.demo.catalogue import SHOTS, Shot
from apps.operations.demo.words import admirers, remarks
from apps.photos.models import Photo
from apps.social import services as social
from apps.social.models import Comment

# A picture every five hours, and their order mixed, so that the stream is not sorted by owner.
APART = timedelta(hours=5)
STRIDE = 7
BETWEEN_REMARKS = timedelta(minutes=37)
JUST_NOW = timedelta(minutes=5)
# While somebody is likely to sit and watch, it is looked for often; later less and less.
SOON = timedelta(minutes=3)


def liven_up(*, photo_id: UUID, slug: str) -> None:
    """Date the photo back, let people like it and talk about it. Raises messaging.Temporary.

    Each part is done once however often this runs.
    """
    photo = Photo.objects.filter(pk=photo_id).first()
    shot = next((shot for shot in SHOTS if shot.slug == slug), None)
    if photo is None or shot is None or photo.state == Photo.State.FAILED:
        return
    if photo.published_at is None or not photo.is_ready:
        is_young = timezone.now() - photo.created_at < SOON
        raise messaging.Temporary("not developed yet", wait=3 if is_young else None)
    moment = _date_back(photo, shot)
    people = User.objects.in_bulk(admirers(shot), field_name="username")
    for person in people.values():
        social.like_photo(person=person, photo=photo)
    for number, (username, text) in enumerate(remarks(shot), 1):
        if username in people:
            said_at = min(moment + number * BETWEEN_REMARKS, timezone.now() - JUST_NOW)
            _say(photo, people[username], text, said_at)


@transaction.atomic
def _date_back(photo: Photo, shot: Shot) -> datetime:
    place = SHOTS.index(shot) * STRIDE % len(SHOTS)
    moment = photo.created_at - (place + 1) * APART
    Photo.objects.filter(pk=photo.pk).update(published_at=moment)
    caching.changed(photo)
    return moment


@transaction.atomic
def _say(photo: Photo, author: User, text: str, moment: datetime) -> None:
    """Long ago, so the limit on how much a person says in a minute does not see it."""
    if Comment.objects.filter(photo=photo, author=author, text=text).exists():
        return
    comment = social.comment_on_photo(author=author, photo=photo, text=text)
    Comment.objects.filter(pk=comment.pk).update(created_at=moment)
