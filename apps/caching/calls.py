"""One call of a cached function, named but not made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from apps.caching.codecs import Codec

R = TypeVar("R")
Tags = Iterable[str] | Callable[..., Iterable[str]]
NEVER_STALE = timedelta(0)


class Refresh(Enum):
    """Who computes an entry anew after a change: its next reader, or a worker at once."""

    ON_READ = "on read"
    REWRITE = "rewrite"


REWRITE = Refresh.REWRITE


@dataclass(frozen=True, kw_only=True)
class Policy(Generic[R]):
    """What is the same for all calls of one function. `cached` explains each."""

    timeout: timedelta
    tags: Tags = ()
    stale_for: timedelta = NEVER_STALE
    by_language: bool = False
    bulk: Callable[[Sequence[Any]], Mapping[Any, R]] | None = None
    refresh_ahead: bool | float | None = None
    refresh: Refresh = Refresh.ON_READ
    # For the last part of its life an entry is renewed by its readers; None: they leave it alone.
    ahead: float | None = field(init=False)

    def __post_init__(self) -> None:
        if self.timeout <= NEVER_STALE:
            raise ValueError("timeout is more than nothing: to compute each time, cache nothing")
        wanted = self.refresh_ahead
        if wanted is None:
            wanted = bool(self.stale_for)
        if not 0 <= wanted <= 1:
            raise ValueError("refresh_ahead is True, False or a part of the timeout, from 0 to 1")
        ahead = (0.0 if wanted else None) if isinstance(wanted, bool) else float(wanted)
        object.__setattr__(self, "ahead", ahead)


class Learner(Protocol):
    """Finds out by computing which tags a call has, and by reading which it had: see `learning`."""

    def note(self, used: frozenset[str]) -> None:
        """The computation was built from entries with these tags, and the call lacks some."""

    def wider(self, call: Call[Any]) -> Call[Any] | None:
        """The same call with the tags that were noted; None if it lacked none."""

    def as_stored(self, call: Call[Any], value: Any) -> Call[Any] | None:
        """The same call with the tags of this stored value; None if it has these already."""


class Call(msgspec.Struct, Generic[R], frozen=True, kw_only=True, eq=False):
    """A cached function with its arguments: pass it to `prefetch`, yield it from a prefill."""

    name: str
    policy: Policy[R]
    codec: Callable[[], Codec]
    digest: str
    tags: tuple[str, ...]
    compute: Callable[[], R]
    arguments: tuple[object, ...]
    learner: Learner | None = None  # None: the tags are all there are
    placed: tuple[Any, Any] | None = None  # its place and whose it is: a note of `lookup.place`

    def __repr__(self) -> str:
        return f"<{self.name}{self.arguments}>"
