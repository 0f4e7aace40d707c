"""Every read of a page about people and what they say, and who may take a comment away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import ngettext

from apps import caching, live
from apps.accounts.models import User
from apps.photos.models import Photo
from apps.social.models import Comment, Follow, Like, Notification, NotificationChoice

COMMENTS_PAGE = 50
PEOPLE_SHOWN = 24
NOTIFICATIONS_PAGE = 30
# So many who commented before are told of a comment, those who spoke last: more are a crowd.
TOLD_AT_MOST = 100

# What a comment is asked for by: itself and its author, since both are what it shows.
Entry = tuple[int, int]


class CommentPage(msgspec.Struct, frozen=True):
    """Comments in the order in which they are read; `earlier` is the place to go on, or 0."""

    entries: list[Entry]
    earlier: int


class Follows(msgspec.Struct, frozen=True):
    followers: int
    following: int


class News(msgspec.Struct, frozen=True):
    """What is alike, on one line: `newest` speaks for all, `others` are so many people more."""

    newest: Notification
    others: int
    is_new: bool


class NewsPage(msgspec.Struct, frozen=True):
    """Newest first; `earlier` is the place to go on, or 0."""

    lines: list[News]
    earlier: int


def list_liked(*, viewer: User, photo_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of these photos that the viewer likes: one query for a page, however many it shows."""
    likes = Like.objects.filter(person=viewer, photo__in=list(photo_ids))
    return frozenset(likes.values_list("photo_id", flat=True))


def is_following(*, viewer: User, person_id: int) -> bool:
    return Follow.objects.filter(follower=viewer, followed=person_id).exists()


@caching.cached(timeout=timedelta(hours=1), tags=["comments:{photo_id}"])
def list_comments(*, photo_id: UUID, before: int = 0) -> CommentPage:
    """The newest comments of a photo, or those before the one with this id."""
    comments = Comment.objects.filter(photo=photo_id).order_by("-id")
    if before:
        comments = comments.filter(id__lt=before)
    # One more than a page holds tells whether there are earlier ones.
    newest = list(comments.values_list("id", "author_id")[: COMMENTS_PAGE + 1])
    shown = newest[:COMMENTS_PAGE]
    earlier = shown[-1][0] if len(newest) > COMMENTS_PAGE else 0
    return CommentPage(entries=shown[::-1], earlier=earlier)


def find_comments(entries: Sequence[Entry]) -> Mapping[Entry, Comment]:
    """Those of these comments that are there, with their authors, in one query."""
    comments = Comment.objects.filter(pk__in=[pk for pk, _ in entries]).select_related("author")
    return {(comment.pk, comment.author_id): comment for comment in comments}


def get_deletable_comment(*, viewer: User, pk: int) -> Comment:
    """The comment, for its author, the owner of the photo or staff.

    Raises Comment.DoesNotExist, also if the viewer may not see the photo, or PermissionDenied.
    """
    comment = Comment.objects.select_related("photo").get(
        pk=pk, photo__in=Photo.objects.visible_to(viewer)
    )
    if not may_delete(viewer=viewer, author_id=comment.author_id, owner_id=comment.photo.owner_id):
        raise PermissionDenied
    return comment


def may_delete(*, viewer: User | None, author_id: int, owner_id: int) -> bool:
    return viewer is not None and (viewer.is_staff or viewer.pk in {author_id, owner_id})


def list_comments_since(*, author: User, moment: datetime) -> list[Comment]:
    return list(Comment.objects.filter(author=author, created_at__gte=moment).order_by("-id"))


def is_conversation(*, comment: Comment, owner_id: int) -> bool:
    """Whether somebody else, other than the owner of the photo, commented on it before."""
    return _who_spoke_before(comment, owner_id).exists()


def list_conversation(*, comment: Comment, owner_id: int) -> list[int]:
    """Who commented on the photo before and wants to hear of what follows.

    Not the author and not the owner, who is told anyway. Who spoke last comes first.
    """
    deaf = NotificationChoice.objects.filter(conversations=False)
    listeners = (
        _who_spoke_before(comment, owner_id)
        .filter(author__is_active=True)
        .exclude(author__in=deaf.values("person"))
    )
    people = listeners.values("author").annotate(last=Max("pk")).order_by("-last")
    return list(people.values_list("author", flat=True)[:TOLD_AT_MOST])


def _who_spoke_before(comment: Comment, owner_id: int) -> QuerySet[Comment]:
    earlier = Comment.objects.filter(photo=comment.photo_id, pk__lt=comment.pk).order_by()
    return earlier.exclude(author__in=[comment.author_id, owner_id])


def list_told(*, photo: Photo) -> list[int]:
    """Who has notifications about this photo."""
    told = Notification.objects.filter(photo=photo).order_by()
    return list(told.values_list("recipient_id", flat=True).distinct())


@caching.cached(timeout=timedelta(hours=1), tags=["follows:{person_id}", "followers:{person_id}"])
def count_follows(*, person_id: int) -> Follows:
    return Follows(
        followers=Follow.objects.filter(followed=person_id, follower__is_active=True).count(),
        following=Follow.objects.filter(follower=person_id, followed__is_active=True).count(),
    )


@caching.cached(timeout=timedelta(hours=1), tags=["follows:{person_id}"])
def list_following(*, person_id: int) -> list[int]:
    """Whom this person follows, the newest first, so many as a page shows."""
    follows = Follow.objects.filter(follower=person_id, followed__is_active=True).order_by("-id")
    return list(follows.values_list("followed_id", flat=True)[:PEOPLE_SHOWN])


def list_news(*, person: User, before: int = 0) -> NewsPage:
    """What others did that this person should know of, a line for what is alike on one day."""
    notifications = Notification.objects.filter(recipient=person).order_by()
    folded = notifications.values("verb", "photo", "day").annotate(
        newest=Max("pk"),
        people=Count("actor", distinct=True),
        unseen=Count("pk", filter=Q(seen_at=None)),
    )
    if before:
        folded = folded.filter(newest__lt=before)
    lines = list(folded.order_by("-newest")[: NOTIFICATIONS_PAGE + 1])
    shown = lines[:NOTIFICATIONS_PAGE]
    found = Notification.objects.select_related("actor", "photo", "comment").in_bulk(
        [line["newest"] for line in shown]
    )
    return NewsPage(
        lines=[
            News(found[line["newest"]], line["people"] - 1, bool(line["unseen"]))
            for line in shown
            if line["newest"] in found  # it may have gone between the two queries
        ],
        earlier=shown[-1]["newest"] if len(lines) > NOTIFICATIONS_PAGE else 0,
    )


def count_unseen(*, person_id: int) -> int:
    """As many as there are lines with something new in them."""
    unseen = Notification.objects.filter(recipient=person_id).unseen().order_by()
    return unseen.values("verb", "photo", "day").distinct().count()


def say_unseen(count: int) -> str:
    return ngettext("%(count)d new notification", "%(count)d new notifications", count) % {
        "count": count
    }


def wants_likes(*, person_id: int) -> bool:
    return find_choice(person_id=person_id).likes


def find_choice(*, person_id: int) -> NotificationChoice:
    """What somebody wants to be told of; a row that is not stored if they never chose."""
    choice = NotificationChoice.objects.filter(person=person_id).first()
    return choice or NotificationChoice(person_id=person_id)


def may_hear(*, viewer: live.Viewer, name: str) -> bool:
    """Whether a browser may follow what happens to this person: only their own may."""
    return viewer.is_authenticated and str(viewer.pk) == name


def read_live_bell(*, name: str) -> live.State | None:
    count = count_unseen(person_id=int(name))
    return {"unseen": count, "words": say_unseen(count)}


def read_live_talk(*, name: str) -> live.State | None:
    """What an open page of a photo shows of it: how many like it, and its newest comments.

    Asked past the cache: it is read once for all who look, and what they are told is true.
    """
    photo_id = UUID(name)
    likes = Photo.objects.filter(pk=photo_id).values_list("like_count", flat=True).first() or 0
    comments = Comment.objects.filter(photo=photo_id).order_by("-id")
    return {
        "likes": likes,
        "likes_words": ngettext("%(count)d like", "%(count)d likes", likes) % {"count": likes},
        "comments": list(comments.values_list("pk", flat=True)[:COMMENTS_PAGE]),
        "comments_shown": COMMENTS_PAGE,
    }


def list_wrong_counts() -> list[tuple[UUID, int, int]]:
    """Photos whose numbers differ from the rows, with what has to be added to each number."""
    photos = Photo.objects.annotate(
        likes_missing=_count_of(Like.objects.all()) - F("like_count"),
        comments_missing=_count_of(Comment.objects.all()) - F("comment_count"),
    )
    wrong = photos.exclude(likes_missing=0, comments_missing=0)
    return list(wrong.values_list("id", "likes_missing", "comments_missing"))


def _count_of(rows: QuerySet[Like] | QuerySet[Comment]) -> Coalesce:
    of_photo = rows.filter(photo=OuterRef("pk")).order_by().values("photo")
    return Coalesce(Subquery(of_photo.annotate(number=Count("pk")).values("number")), 0)
