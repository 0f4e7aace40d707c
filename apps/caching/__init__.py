"""Cached functions, fragments and pages: a hit costs one round trip, a change is seen at once.

This is the front door: other apps import `caching` and nothing below it. docs/caching.md tells
what is promised and how to use it.
"""

from __future__ import annotations

from apps.caching.answering import prefetch
from apps.caching.async_functions import AsyncCachedFunction
from apps.caching.calls import REWRITE, Call
from apps.caching.decorator import cached
from apps.caching.functions import CachedFunction
from apps.caching.health import ServersAway, ping
from apps.caching.invalidation import changed, invalidate
from apps.caching.nesting import uses
from apps.caching.pages import CachedView, cached_view
from apps.caching.prefill import prefill
from apps.caching.sweeping import sweep_at_start
from apps.caching.widgets import UnknownWidget, Widget, call, widget

__all__ = [
    "REWRITE",
    "AsyncCachedFunction",
    "CachedFunction",
    "CachedView",
    "Call",
    "ServersAway",
    "UnknownWidget",
    "Widget",
    "cached",
    "cached_view",
    "call",
    "changed",
    "invalidate",
    "ping",
    "prefetch",
    "prefill",
    "sweep_at_start",
    "uses",
    "widget",
]
