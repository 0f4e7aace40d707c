"""For tests of what uses the cache: pytest fixtures and tools, and no part of a running site.

Import the fixtures in a conftest.py, as `from apps.caching.testing import fresh_cache`.
docs/caching.md shows each of them at work.
"""

from __future__ import annotations

from apps.caching.testing.fixtures import fresh_cache, nothing_is_stale
from apps.caching.testing.flaky import Flaky, serving
from apps.caching.testing.holding import hold_after_read
from apps.caching.testing.staleness import is_stale, watching_for_stale
from apps.caching.testing.tracing import Trace, trace

__all__ = [
    "Flaky",
    "Trace",
    "fresh_cache",
    "hold_after_read",
    "is_stale",
    "nothing_is_stale",
    "serving",
    "trace",
    "watching_for_stale",
]
