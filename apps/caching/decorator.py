"""The decorator for functions: `@cached`, on `def` and on `async def`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from apps.caching.async_functions import AsyncCachedFunction, blocking
from apps.caching.calls import NEVER_STALE, Policy, Refresh, Tags
from apps.caching.functions import CachedFunction

P = ParamSpec("P")
R = TypeVar("R")
Bulk = (
    Callable[[Sequence[Any]], Mapping[Any, Any]]
    | Callable[[Sequence[Any]], Coroutine[Any, Any, Mapping[Any, Any]]]
)


class Decorator(Protocol):
    """What `cached(...)` returns: it keeps the signature and the types of the function."""

    @overload
    def __call__(  # type: ignore[overload-overlap] # the first that fits is meant
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> AsyncCachedFunction[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R]) -> CachedFunction[P, R]: ...


def cached(  # noqa: PLR0913 - options by keyword
    *,
    timeout: timedelta,
    tags: Tags = (),
    stale_for: timedelta = NEVER_STALE,
    refresh_ahead: bool | float | None = None,
    refresh: Refresh = Refresh.ON_READ,
    by_language: bool = False,
    bulk: Bulk | None = None,
) -> Decorator:
    """Keep what the decorated function returns.

    `timeout`: for how long at most; a little less at random, so that entries do not expire
    together. `tags`: names under which a change makes an entry out of date, formatted with the
    arguments ("book:{book_id}"), or a function of the arguments that returns them. `stale_for`:
    how much longer an expired value may be served while the next one is computed in the background.
    `refresh_ahead`: a reader shortly before the end has the entry computed in the background, so
    that one in use never ends: True for as early as the computation takes long, 0.1 for all
    of the last tenth of its life; without a word it is True where `stale_for` is given.
    `refresh=REWRITE`: after a change of an entry in use a worker computes the next value at once,
    so that few readers find it gone; for functions whose calls are told by their tags, or that
    can be called without arguments. `by_language`: one entry for each language. `bulk`: for a
    function of one argument, computes the values for many; what it leaves out is computed one by
    one. An `async def` becomes an `AsyncCachedFunction`; its `bulk` may be one too.
    """
    policy: Policy[Any] = Policy(
        timeout=timeout,
        tags=tags,
        stale_for=stale_for,
        refresh_ahead=refresh_ahead,
        refresh=refresh,
        by_language=by_language,
        bulk=_blocking_bulk(bulk),
    )

    def decorate(function: Callable[..., Any]) -> Any:
        name = f"{function.__module__}.{function.__qualname__}"
        if iscoroutinefunction(function):
            return AsyncCachedFunction(function, name=name, policy=policy)
        return CachedFunction(function, name=name, policy=policy)

    return decorate


def _blocking_bulk(bulk: Bulk | None) -> Callable[[Sequence[Any]], Mapping[Any, Any]] | None:
    return blocking(bulk) if iscoroutinefunction(bulk) else cast("Any", bulk)
