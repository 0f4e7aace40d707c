"""Fragments that many pages show, the same for every viewer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from apps import caching
from apps.accounts.models import User
from apps.photos import selectors
from apps.photos.selectors import Entry

Card = dict[str, object] | None


def _cards(entries: Sequence[Entry]) -> Mapping[Entry, Card]:
    """The cards of a page in two queries, however many they are."""
    details = selectors.describe_many([photo_id for photo_id, _ in entries])
    owners = User.objects.in_bulk({owner_id for _, owner_id in entries})
    return {
        (pk, owner): {"photo": details[pk], "owner": owners[owner]}
        if pk in details and owner in owners  # who may have left between the two queries
        else None
        for pk, owner in entries
    }


@caching.widget(
    "photos.card",
    timeout=timedelta(hours=6),
    tags=["photo:{entry[0]}", "user:{entry[1]}"],
    bulk=_cards,
)
def card(entry: Entry) -> Card:
    """A photo in a stream: picture, title, whose it is, how many like it."""
    return _cards([entry])[entry]


# On the home page, dear to compute, and out of date with every like and every photo: rewritten.
@caching.widget(
    "photos.popular",
    timeout=timedelta(minutes=10),
    tags=["stream", "popular"],
    refresh=caching.REWRITE,
)
def popular(*, days: int = 7) -> dict[str, object]:
    entries = selectors.list_popular(days=days)
    details = selectors.describe_many([photo_id for photo_id, _ in entries])
    return {
        "photos": [details[photo_id] for photo_id, _ in entries if photo_id in details],
        "days": days,
    }


@caching.widget("photos.byline", timeout=timedelta(hours=6), tags=["user:{owner_id}"])
def byline(*, owner_id: int) -> dict[str, object]:
    """Whose photo it is."""
    return {"person": User.objects.filter(pk=owner_id).first()}


@caching.widget(
    "photos.numbers",
    timeout=timedelta(minutes=10),
    tags=["stream", "popular", "people"],
    refresh=caching.REWRITE,  # it counts whole tables
)
def numbers() -> dict[str, object]:
    return {"numbers": selectors.count_numbers()}


@caching.prefill
def home() -> Iterator[caching.Call[Any]]:
    """What the first visitor of the home page is shown."""
    yield selectors.list_stream.call()
    yield popular.call()
    yield numbers.call()
    for entry in selectors.list_stream().entries:
        yield card.call(entry)
