"""What the layer does, told to whoever listens: tests, and whoever wants to time a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from apps.caching.calls import Call
from apps.caching.locks import Lock


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip to a server: `verb` is get, put, add or drop."""

    server: str
    verb: str
    keys: tuple[str, ...]
    answered: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """The value of a call was computed and may lie in the cache from now on."""

    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """A function counted something; the words are those of the statistics."""

    function: str
    what: str
    amount: float


@dataclass(frozen=True, slots=True)
class Invalidated:
    """A transaction with these tags was committed, and the servers were told."""

    tags: frozenset[str]


Event = Trip | Stored | Counted | Invalidated
Listener = Callable[[Event], None]
_listeners: tuple[Listener, ...] = ()
_watcher: ContextVar[Listener | None] = ContextVar("caching_watcher", default=None)
_watched = 0
_lock = Lock()


def is_heard() -> bool:
    """Say whether anybody listens: an event that nobody hears need not be made."""
    return bool(_watched or _listeners)


def tell(event: Event) -> None:
    for listener in _listeners:
        listener(event)
    # While nobody watches, not even the variable is asked.
    if _watched and (watcher := _watcher.get()) is not None:
        watcher(event)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with each event, of any thread, inside the block."""
    global _listeners  # noqa: PLW0603 - a tuple swapped whole needs no lock to be read
    _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        _listeners = tuple(item for item in _listeners if item is not listener)


@contextmanager
def watching(watcher: Listener) -> Iterator[None]:
    """Call `watcher` with each event of this context, such as one request, inside the block."""
    global _watched  # noqa: PLW0603 - changed under the lock, read without
    token = _watcher.set(watcher)
    with _lock:
        _watched += 1
    try:
        yield
    finally:
        with _lock:
            _watched -= 1
        _watcher.reset(token)
