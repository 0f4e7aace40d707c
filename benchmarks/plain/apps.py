"""Turns the decorators of the cache into what they decorate, when the apps are ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig


class PlainConfig(AppConfig):
    name = "benchmarks.plain"
    label = "plain"

    def ready(self) -> None:
        """Call every cached function as it stands; what it can compute together, it still does."""
        from apps import caching

        caching.CachedFunction.__call__ = caching.CachedFunction.fresh
        caching.CachedFunction.many = _many
        caching.Widget.each = _each
        caching.CachedView.__call__ = _view
        caching.prefetch = _nothing


def _many(function: Any, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
    calls = list(calls)
    bulk = function.policy.bulk
    if bulk is None:
        return [function.fresh(*arguments) for arguments in calls]
    values = bulk([argument for (argument,) in calls])
    return [values[one] if one in values else function.fresh(one) for (one,) in calls]


def _each(widget: Any, items: Iterable[Any], **arguments: Any) -> list[Any]:
    if arguments:
        return [widget.fresh(item, **arguments) for item in items]
    return _many(widget, [(item,) for item in items])


def _view(view: Any, *args: Any, **kwargs: Any) -> Any:
    return view.fresh(*args, **kwargs)


def _nothing(*calls: object) -> None:
    """Prefetch nothing."""
