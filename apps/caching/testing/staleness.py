"""Finding entries that would still be shown although the data has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import translation

from apps.caching import memo, transactions
from apps.caching.calls import Call
from apps.caching.events import Event, Stored, listening
from apps.caching.lookup import look_up


@contextmanager
def watching_for_stale() -> Iterator[Callable[[], list[Call[Any]]]]:
    """Note every entry that is stored inside the block; yield what tells the stale ones of these.

    For a test that looks in the middle; `nothing_is_stale` looks at the end.
    """
    stored: dict[tuple[str, str], tuple[Call[Any], str]] = {}

    def hear(event: Event) -> None:
        if isinstance(event, Stored):
            key = (event.call.name, event.call.digest)
            stored[key] = (event.call, translation.get_language() or "")

    def stale() -> list[Call[Any]]:
        return [
            call for call, language in list(stored.values()) if is_stale(call, language=language)
        ]

    with listening(hear):
        yield stale


def is_stale(call: Call[Any], *, language: str = "en") -> bool:
    """Say whether the cache has an answer to `call` that differs from a computation.

    What the open transaction has changed is not looked up, so it is not stale.
    """
    if transactions.has_changed(call.tags):
        return False
    with memo.suspended(), translation.override(language):
        look = look_up([call])[0]
        return look.is_hit and bool(look.value != call.compute())
