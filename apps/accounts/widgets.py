"""Fragments about people that many pages show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from apps import caching
from apps.accounts import selectors
from apps.accounts.models import User


@caching.widget(
    "accounts.newest",
    timeout=timedelta(minutes=30),
    tags=["people"],
    refresh=caching.REWRITE,  # on the home page, and out of date with whoever comes or goes
)
def newest(*, limit: int = selectors.NEWEST) -> dict[str, object] | None:
    """Who came last; nothing at all before there is anybody."""
    people = selectors.list_newest_people(limit=limit)
    return {"people": people} if people else None


@caching.widget("accounts.person_header", timeout=timedelta(hours=6), tags=["user:{person_id}"])
def person_header(person_id: int) -> dict[str, object] | None:
    """Avatar, name and what a person says about themselves."""
    person = User.objects.confirmed().filter(pk=person_id).first()
    return {"person": person} if person else None


@caching.prefill
def home() -> Iterator[caching.Call[Any]]:
    """What stands beside the stream on the home page."""
    yield newest.call()
