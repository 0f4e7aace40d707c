"""Follows, likes and comments for tests, made as people make them."""

from __future__ import annotations

from datetime import datetime

from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social import services
from apps.social.models import Comment
from tests.support.accounts import make_user
from tests.support.photos import make_photo


def make_follow(*, follower: User, followed: User) -> None:
    services.follow_person(follower=follower, followed=followed)


def make_like(photo: Photo, *, person: User | None = None) -> None:
    services.like_photo(person=person or make_user(), photo=photo)


def make_comment(
    photo: Photo | None = None,
    *,
    author: User | None = None,
    text: str = "Lovely light.",
    created_at: datetime | None = None,
) -> Comment:
    """Say something; with `created_at`, so long ago that no limit sees it."""
    comment = services.comment_on_photo(
        author=author or make_user(), photo=photo or make_photo(), text=text
    )
    if created_at is not None:
        Comment.objects.filter(pk=comment.pk).update(created_at=created_at)
    return comment
