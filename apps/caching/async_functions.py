"""`@cached` on an `async def`: the same entries, looked up without blocking the event loop.

A look-up runs in the thread that asgiref keeps for what is thread-sensitive, as Django's own
asynchronous ORM does: there the connections to the database are, which are asked whether a value
may be stored. From that thread the function itself is awaited in the caller's event loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, ParamSpec, TypeVar

from asgiref.sync import async_to_sync, markcoroutinefunction, sync_to_async

from apps.caching.calls import Call, Policy
from apps.caching.functions import CachedFunction

P = ParamSpec("P")
R = TypeVar("R")
Asynchronous = Callable[P, Coroutine[Any, Any, R]]


class AsyncCachedFunction(Generic[P, R]):
    """An asynchronous function whose values are kept; the methods are those of `CachedFunction`.

    A hit costs one round trip and one change of threads. `call` is not awaited: what it names can
    be prefetched and prefilled like any other call.
    """

    def __init__(self, function: Asynchronous[P, R], *, name: str, policy: Policy[R]) -> None:
        functools.update_wrapper(self, function)
        markcoroutinefunction(self)
        self._function = function
        self._kept = CachedFunction(blocking(function), name=name, policy=policy)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments, computed now or kept from before."""
        return await sync_to_async(self._kept)(*args, **kwargs)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Name a call without making it: for `prefetch` and for a prefill."""
        return self._kept.call(*args, **kwargs)

    async def fresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute past the cache: nothing is read from it and nothing is stored."""
        return await self._function(*args, **kwargs)

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute now and rewrite the entry in place."""
        return await sync_to_async(self._kept.refresh)(*args, **kwargs)

    async def forget(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Drop the entry. After a change in the database use `changed` or `invalidate`."""
        await sync_to_async(self._kept.forget)(*args, **kwargs)

    async def many(self, calls: Iterable[tuple[Any, ...]]) -> list[R]:
        """Return the value for each tuple of arguments, with one round trip for all."""
        return await sync_to_async(self._kept.many)(calls)

    def __repr__(self) -> str:
        return repr(self._kept)


def blocking(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Return a function for the thread of a look-up: it awaits `function` in the caller's loop."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # Wrapped at each call: the event loop to come back to is that of this very caller.
        return async_to_sync(function)(*args, **kwargs)

    return run
