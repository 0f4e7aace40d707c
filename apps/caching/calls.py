"""One call of a cached function, named but not made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from apps.caching.codecs import Codec

R = TypeVar("R")
Tags = Iterable[str] | Callable[..., Iterable[str]]
NEVER_STALE = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Policy(Generic[R]):
    """What is the same for all calls of one function. `cached` explains each."""

    timeout: timedelta
    tags: Tags = ()
    stale_for: timedelta = NEVER_STALE
    by_language: bool = False
    bulk: Callable[[Sequence[Any]], Mapping[Any, R]] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Call(Generic[R]):
    """A cached function with its arguments: pass it to `prefetch`, yield it from a prefill."""

    name: str
    policy: Policy[R]
    codec: Callable[[], Codec]
    digest: str
    tags: tuple[str, ...]
    compute: Callable[[], R]
    arguments: tuple[object, ...]

    def __repr__(self) -> str:
        return f"<{self.name}{self.arguments}>"
