"""The cache in our tests: what the layer has for tests, and that each of ours starts with it."""

from __future__ import annotations

import pytest

from apps.caching.testing import (
    Flaky,
    Trace,
    fresh_cache,
    hold_after_read,
    is_stale,
    nothing_is_stale,
    serving,
    trace,
)

__all__ = [
    "Flaky",
    "Trace",
    "cache_of_its_own",
    "fresh_cache",
    "hold_after_read",
    "is_stale",
    "nothing_is_stale",
    "serving",
    "trace",
]


@pytest.fixture(autouse=True)
def cache_of_its_own(fresh_cache: None) -> None:
    """Give every test an empty cache."""
