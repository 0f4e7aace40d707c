"""dogpile.cache: a region on Redis or Memcached, with its lock of threads or of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from benchmarks.peers.kept import Function, Kept, Way


class Dogpile(Kept):
    """`region.cache_on_arguments`; a change calls `.invalidate` when it commits."""

    many_by = "`cache_multi`"

    def __init__(
        self, function: Function, seconds: int, *, backend: str, arguments: Mapping[str, object]
    ) -> None:
        from dogpile.cache import make_region

        super().__init__(function)
        region = make_region().configure(
            backend, expiration_time=seconds, arguments=dict(arguments)
        )
        self.kept = region.cache_on_arguments(namespace=self.name)(function)

        def all_of(*numbers: int) -> list[Any]:
            return [function(number) for number in numbers]

        self.kept_many = region.cache_multi_on_arguments(namespace=self.name)(all_of)

    def __call__(self, number: int) -> Any:
        return self.kept(number)

    def many(self, numbers: Sequence[int]) -> list[Any]:
        return self.kept_many(*numbers)

    def tell(self, number: int) -> None:
        transaction.on_commit(lambda: self.kept.invalidate(number))


def on_redis(**options: bool) -> Callable[[Function, int], Kept]:
    """Return how a region on Redis keeps a function."""
    return lambda function, seconds: Dogpile(
        function,
        seconds,
        backend="dogpile.cache.redis",
        arguments={"url": settings.DOGPILE_REDIS, **options},
    )


def on_memcached(**options: bool) -> Callable[[Function, int], Kept]:
    """Return how a region on Memcached keeps a function."""
    return lambda function, seconds: Dogpile(
        function,
        seconds,
        backend="dogpile.cache.pymemcache",
        arguments={"url": [urlsplit(settings.MEMCACHED).netloc], **options},
    )


REDIS = Way(name="dogpile, Redis", keep=on_redis(), package="dogpile")
REDIS_LOCKED = Way(
    name="dogpile, Redis, distributed lock",
    # Its documentation asks for this beside the lock of more than one process.
    keep=on_redis(distributed_lock=True, thread_local_lock=False),
    package="dogpile",
)
MEMCACHED = Way(
    name="dogpile, pymemcache", keep=on_memcached(), server="memcached", package="dogpile"
)
MEMCACHED_LOCKED = Way(
    name="dogpile, pymemcache, distributed lock",
    keep=on_memcached(distributed_lock=True),
    server="memcached",
    package="dogpile",
)
