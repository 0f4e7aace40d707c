"""Entries built from entries: the outer one must name the tags of the inner ones.

Otherwise a change would make the inner one out of date and leave the outer one, with the old
inner one inside, valid. An entry that was built so is not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.caching import memo


class Computation:
    """Which function is being computed, the tags it declared and those it turned out to need.

    `kept_on` are the servers that will hold what is built of this computation.
    """

    def __init__(self, name: str, tags: Iterable[str], kept_on: frozenset[str]) -> None:
        self.name = name
        self.declared = frozenset(tags)
        self.kept_on = kept_on
        self.used: set[str] = set()

    @property
    def undeclared(self) -> set[str]:
        return self.used - self.declared


_current: ContextVar[Computation | None] = ContextVar("caching_computation", default=None)


@contextmanager
def computing(
    tags: Iterable[str], kept_on: Iterable[str] = (), *, name: str = ""
) -> Iterator[Computation]:
    """Watch which entries are used until the block ends, and look each of them up anew."""
    outer = _current.get()
    servers = frozenset(kept_on) | (outer.kept_on if outer else frozenset())
    computation = Computation(name, tags, servers)
    token = _current.set(computation)
    try:
        with memo.suspended():
            yield computation
    finally:
        _current.reset(token)
        if outer is not None:
            # The inner one is not stored for lack of these. Nor can the outer one do without.
            outer.used |= computation.undeclared


def current() -> Computation | None:
    """Return the innermost computation that is going on: what is read now, it reads."""
    return _current.get()


def note_use(tags: Iterable[str]) -> None:
    """Tell the computation that is going on, if any, that it uses an entry with these tags."""
    computation = _current.get()
    if computation is not None:
        computation.used |= set(tags)


def uses(*tags: str) -> None:
    """Say what the page that is being computed reads past the cache: a query of its own.

    The page gets these tags beside those of the entries it is built from. Say it after the read
    that finds out the names; whatever else is computed must declare its tags.
    """
    note_use(tags)


def servers_to_ask() -> frozenset[str]:
    """Return the servers whose entries alone may be used; none at all means every server.

    The versions that are stamped on an entry are those of its own server. Another server may not
    have been told yet what they stand for: an old entry from there would be stamped as a new one.
    """
    computation = _current.get()
    return computation.kept_on if computation else frozenset()
