"""What the layer does, told to whoever listens: tests, and whoever wants to time a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from apps.caching.calls import Call


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip to a server: `verb` is get, put, add or drop."""

    server: str
    verb: str
    keys: tuple[str, ...]
    answered: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The value of a call was computed and may lie in the cache from now on."""

    call: Call[Any]


Event = Trip | Stored
Listener = Callable[[Event], None]
_listeners: tuple[Listener, ...] = ()


def anybody_listens() -> bool:
    """Say whether it is worth making an event to tell."""
    return bool(_listeners)


def tell(event: Event) -> None:
    for listener in _listeners:
        listener(event)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with each event, of any thread, inside the block."""
    global _listeners  # noqa: PLW0603 - a tuple swapped whole needs no lock to be read
    _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        _listeners = tuple(item for item in _listeners if item is not listener)
