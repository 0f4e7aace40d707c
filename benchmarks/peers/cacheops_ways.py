"""django-cacheops: `@cached_as`, and querysets that it keeps unasked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers.kept import Function, Kept, Untouched, Way


class CachedAs(Kept):
    """`@cached_as(Thing)`. A `save()` invalidates by itself, other changes when told."""

    def __init__(self, function: Function, seconds: int, **options: bool) -> None:
        from cacheops import cached_as

        from benchmarks.peers.models import Thing

        super().__init__(function)
        # Its key has the module and the line of a function, which are those of all of ours.
        self.kept = cached_as(Thing, timeout=seconds, extra=self.name, **options)(function)

    def __call__(self, number: int) -> Any:
        return self.kept(number)

    def tell(self, number: int) -> None:
        _tell(number)

    def lose_bookkeeping(self) -> bool:
        return _lose_bookkeeping()


class Queries(Untouched):
    """A function whose querysets cacheops keeps."""

    def tell(self, number: int) -> None:
        _tell(number)

    def lose_bookkeeping(self) -> bool:
        return _lose_bookkeeping()


def _tell(number: int) -> None:
    from cacheops import invalidate_obj

    from benchmarks.peers.models import Thing

    invalidate_obj(Thing(pk=number))


def _lose_bookkeeping() -> bool:
    from cacheops.redis import redis_client

    keys = [*redis_client.scan_iter("conj:*"), *redis_client.scan_iter("schemes:*")]
    return bool(keys) and bool(redis_client.delete(*keys))


def cached_as(**options: bool) -> Callable[[Function, int], Kept]:
    """Return how `@cached_as` keeps a function."""
    return lambda function, seconds: CachedAs(function, seconds, **options)


AS = Way(name="cacheops `@cached_as`", keep=cached_as(), app="cacheops", package="cacheops")
AS_LOCKED = Way(
    name="cacheops `@cached_as(lock)`",
    keep=cached_as(lock=True),
    app="cacheops",
    package="cacheops",
)
AS_FRESH = Way(
    name="cacheops `@cached_as(keep_fresh)`",
    keep=cached_as(keep_fresh=True),
    app="cacheops",
    package="cacheops",
)
QUERIES = Way(
    name="cacheops queryset",
    keep=lambda function, _: Queries(function),
    app="cacheops",
    package="cacheops",
)
