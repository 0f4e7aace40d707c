"""Fragments about people, the same for every viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from apps import caching
from apps.accounts.models import User
from apps.social import selectors
from apps.social.selectors import Entry

Context = dict[str, object] | None


def _comments(entries: Sequence[Entry]) -> Mapping[Entry, Context]:
    found = selectors.find_comments(entries)
    return {entry: {"comment": found[entry]} if entry in found else None for entry in entries}


@caching.widget(
    "social.comment",
    timeout=timedelta(hours=6),
    tags=["comment:{entry[0]}", "user:{entry[1]}"],
    bulk=_comments,
)
def comment(entry: Entry) -> Context:
    """What somebody said, and who it was; nothing if it is gone."""
    return _comments([entry])[entry]


def _people(person_ids: Sequence[int]) -> Mapping[int, Context]:
    found = User.objects.in_bulk(person_ids)
    return {pk: {"person": found[pk]} if pk in found else None for pk in person_ids}


@caching.widget(
    "social.person", timeout=timedelta(hours=6), tags=["user:{person_id}"], bulk=_people
)
def person(person_id: int) -> Context:
    """Somebody in a list of people."""
    return _people([person_id])[person_id]


@caching.widget(
    "social.counts",
    timeout=timedelta(hours=1),
    tags=["follows:{person_id}", "followers:{person_id}"],
)
def counts(*, person_id: int) -> Context:
    """How many follow this person, and how many this person follows."""
    return {"follows": selectors.count_follows(person_id=person_id)}


@caching.widget("social.bell", timeout=timedelta(days=1), tags=["notifications:{person_id}"])
def bell(*, person_id: int) -> Context:
    """The way to the notifications, with how many are new: of one person, for that person."""
    count = selectors.count_unseen(person_id=person_id)
    return {"person_id": person_id, "count": count, "words": selectors.say_unseen(count)}
