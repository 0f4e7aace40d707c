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
    """What is being computed, the tags it declared and those it turned out to need."""

    def __init__(self, tags: Iterable[str]) -> None:
        self.declared = frozenset(tags)
        self.undeclared: set[str] = set()


_current: ContextVar[Computation | None] = ContextVar("caching_computation", default=None)


@contextmanager
def computing(tags: Iterable[str]) -> Iterator[Computation]:
    """Watch which entries are used until the block ends, and look each of them up anew."""
    computation = Computation(tags)
    token = _current.set(computation)
    try:
        with memo.suspended():
            yield computation
    finally:
        _current.reset(token)


def note_use(tags: Iterable[str]) -> None:
    """Tell the computation that is going on, if any, that it uses an entry with these tags."""
    computation = _current.get()
    if computation is not None:
        computation.undeclared |= set(tags) - computation.declared
