from __future__ import annotations

from functools import partial

import pytest

from apps.messaging import broker

# Everything that is a matter of waiting, shortened: a worker is taken for dead in two seconds.
HASTE = {
    "JOB_LEASE_SECONDS": "2",
    "JOB_SWEEP_SECONDS": "0.2",
    "JOB_RING_AGAIN_SECONDS": "1",
}


@pytest.fixture(autouse=True)
def fresh_line():
    """No connection, and no open breaker, of the test before."""
    broker.hang_up()
    broker.breaker.reset()
    yield
    broker.hang_up()
    broker.breaker.reset()


@pytest.fixture
def hurried(worker):
    """Start a worker that knows the tests' jobs and loses no time."""
    return partial(worker, options=("--include", "tests.support.jobs"), **HASTE)


@pytest.fixture
def seen(tmp_path):
    """What the workers wrote, line by line."""
    path = tmp_path / "seen"
    path.touch()
    return path
