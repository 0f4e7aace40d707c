"""Photos in their order: the stream of all, that of one person, and what is popular."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from django.utils import timezone

from apps import caching
from apps.photos.models import Photo, PhotoQuerySet

PAGE = 24
POPULAR = 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a card is asked for by: the photo and its owner, since both are what it shows.
Entry = tuple[UUID, int]


class Cursor(msgspec.Struct, frozen=True):
    """A place in a stream. Pages are cut at a photo, not at a number: nothing slips or repeats."""

    published_at: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{(self.published_at - EPOCH) // timedelta(microseconds=1):x}-{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str()` wrote. Raises ValueError."""
        microseconds, _, pk = text.partition("-")
        try:
            moment = EPOCH + timedelta(microseconds=int(microseconds, 16))
        except OverflowError as error:
            raise ValueError(text) from error
        return cls(moment, UUID(hex=pk))


class StreamPage(msgspec.Struct, frozen=True):
    """One page of a stream, and the `before` of the next ("" after the last)."""

    entries: list[Entry]
    next: str


class Neighbours(msgspec.Struct, frozen=True):
    """The photos beside one in the stream of its owner."""

    newer: UUID | None = None
    older: UUID | None = None


@caching.cached(timeout=timedelta(hours=1), tags=["stream:{owner_id}"])
def find_neighbours(owner_id: int, published_at: datetime, pk: UUID) -> Neighbours:
    stream = Photo.objects.published().filter(owner=owner_id)
    newer = stream.newer_than(published_at, pk).order_by("published_at", "id")
    older = stream.older_than(published_at, pk).newest_first()
    return Neighbours(
        newer=newer.values_list("id", flat=True).first(),
        older=older.values_list("id", flat=True).first(),
    )


# Every photo changes it and the home page begins with it: its first page is rewritten.
@caching.cached(timeout=timedelta(minutes=10), tags=["stream"], refresh=caching.REWRITE)
def list_stream(*, before: str = "") -> StreamPage:
    """A page of everybody's photos, newest first. Raises ValueError for a `before` of nobody."""
    return _page(Photo.objects.published(), before)


@caching.cached(timeout=timedelta(minutes=10), tags=["stream:{owner_id}"])
def list_stream_of(*, owner_id: int, before: str = "") -> StreamPage:
    """A page of one person's published photos. Raises ValueError for a `before` of nobody."""
    return _page(Photo.objects.published().filter(owner=owner_id), before)


def list_popular(*, days: int = 7) -> list[Entry]:
    """What was published in these days and is liked most; what nobody likes is not popular."""
    since = timezone.now() - timedelta(days=days)
    liked = Photo.objects.published().filter(published_at__gte=since, like_count__gt=0)
    best = liked.order_by("-like_count", "-published_at", "-id")
    return list(best.values_list("id", "owner_id")[:POPULAR])


def _page(photos: PhotoQuerySet, before: str) -> StreamPage:
    if before:
        cursor = Cursor.parse(before)
        photos = photos.older_than(cursor.published_at, cursor.pk)
    # One more than a page holds tells whether another page follows.
    rows = list(photos.newest_first().values_list("id", "owner_id", "published_at")[: PAGE + 1])
    shown = rows[:PAGE]
    following = ""
    if len(rows) > PAGE and (last := shown[-1])[2] is not None:
        following = str(Cursor(last[2], last[0]))
    return StreamPage(entries=[(pk, owner_id) for pk, owner_id, _ in shown], next=following)
