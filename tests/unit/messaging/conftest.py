from __future__ import annotations

import pytest

from apps.messaging import broker
from tests.support import jobs as tasks


@pytest.fixture
def trace():
    tasks.trace.clear()
    return tasks.trace


@pytest.fixture(autouse=True)
def fresh_line():
    """No line, and no open breaker, of one test in the next: jobs that start there ring."""
    broker.hang_up()
    broker.breaker.reset()
    yield
    broker.hang_up()
    broker.breaker.reset()
