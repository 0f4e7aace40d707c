"""Our layer: with tags, and where old values may be shown, without waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from benchmarks.peers.kept import Function, Kept, Way

TAGS = ("thing:{number}", "stream", "people")


class Ours(Kept):
    """`@cached`; who changes something says `invalidate`."""

    many_by = "`many`"

    def __init__(self, function: Function, seconds: int, *, tags: int, stale_for: float) -> None:
        from apps import caching

        super().__init__(function)
        self.kept = caching.cached(
            timeout=timedelta(seconds=seconds),
            tags=TAGS[:tags],
            stale_for=timedelta(seconds=stale_for),
            # An entry that is renewed before its end would never expire, and that is measured.
            refresh_ahead=False if stale_for else None,
        )(function)

    def __call__(self, number: int) -> Any:
        return self.kept(number)

    def many(self, numbers: Sequence[int]) -> list[Any]:
        return self.kept.many([(number,) for number in numbers])

    def tell(self, number: int) -> None:
        from apps import caching

        caching.invalidate(f"thing:{number}")

    def lose_bookkeeping(self) -> bool:
        from apps.caching.engine import engine
        from apps.caching.lookup import place

        where = place(self.kept.call(0), engine())
        tags = [engine().keys.tag(f"thing:{number}") for number in range(1, 1000)]
        where.node.store.drop([*where.tags, *tags])
        return True


def keeping(*, tags: int = 1, stale_for: float = 0.0) -> Callable[[Function, int], Kept]:
    """Return how our layer keeps a function, with so many tags."""
    return lambda function, seconds: Ours(function, seconds, tags=tags, stale_for=stale_for)


def connect(url: str, **options: object) -> None:
    """Let the layer of this process use this server alone."""
    from django.conf import settings

    settings.CACHING = {**settings.CACHING, "SERVERS": [url], **options}


WAYS = [
    Way(name="ours", keep=keeping()),
    Way(name="ours, Memcached", keep=keeping(), server="memcached"),
]
WAYS_WITHOUT_WAITS = [
    Way(name="ours, stale_for", keep=keeping(stale_for=60)),
    Way(name="ours, stale_for, Memcached", keep=keeping(stale_for=60), server="memcached"),
]
