"""cashews: decorators for coroutines, tags as sets of keys."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction

from benchmarks.peers.kept import Function, KeptAwaiting, Way, event_loop

_of_thread = threading.local()


class Cashews(KeptAwaiting):
    """`@cache`, with a tag that a change deletes when it commits."""

    def __init__(
        self, function: Function, seconds: int, *, decorator: str, options: dict[str, object]
    ) -> None:
        super().__init__(function)
        self.seconds = seconds
        self.decorator = decorator
        self.options = options

    async def later(self, number: int) -> Any:
        return await self._kept()(number)

    def tell(self, number: int) -> None:
        transaction.on_commit(
            lambda: event_loop().run_until_complete(_cache().delete_tags(f"thing:{number}"))
        )

    def lose_bookkeeping(self) -> bool:
        return bool(event_loop().run_until_complete(_cache().delete_match("_tag:*")) or True)

    def _kept(self) -> Callable[[int], Any]:
        """Return the decorated function of this thread: connections belong to an event loop."""
        known = _of_thread.__dict__.setdefault("kept", {})
        if self not in known:

            async def compute(number: int) -> Any:
                value = self.function(number)
                return await value if inspect.isawaitable(value) else value

            options = {"ttl": self.seconds, "key": f"{self.name}:{{number}}", **self.options}
            if self.decorator == "early":
                options["ttl"] = 2 * self.seconds
                options["early_ttl"] = self.seconds
            known[self] = getattr(_cache(), self.decorator)(tags=["thing:{number}"], **options)(
                compute
            )
        return known[self]


def _cache() -> Any:
    from cashews import Cache

    if not hasattr(_of_thread, "cache"):
        _of_thread.cache = Cache()
        _of_thread.cache.setup(settings.CASHEWS)
    return _of_thread.cache


def _keeping(decorator: str = "cache", **options: object) -> Callable[..., Cashews]:
    return lambda function, seconds: Cashews(
        function, seconds, decorator=decorator, options=options
    )


CACHE = Way(name="cashews `@cache`", keep=_keeping(), package="cashews")
CACHE_LOCKED = Way(name="cashews `@cache(lock)`", keep=_keeping(lock=True), package="cashews")
EARLY = Way(name="cashews `@early`", keep=_keeping("early"), package="cashews")
