from __future__ import annotations

import pytest

from apps.messaging import broker
from tests.support import jobs as tasks


@pytest.fixture
def trace():
    tasks.trace.clear()
    return tasks.trace


@pytest.fixture(autouse=True)
def shut_breaker():
    """A broker that was away in one test is not so in the next: jobs that start there ring."""
    broker.breaker.reset()
