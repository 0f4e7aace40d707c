"""The fixtures of pytest. None is automatic: a project decides what its tests start with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.caching import engine, memo
from apps.caching.background import is_idle
from apps.caching.learning import guesses
from apps.caching.stats import reset
from apps.caching.testing.staleness import watching_for_stale

PATIENCE, PAUSE = 60.0, 0.01


@pytest.fixture
def fresh_cache(settings: Settings) -> Iterator[None]:
    """Give the test keys of its own: nothing of another test is in its cache.

    What is otherwise done in the background is done before the caller goes on; nothing is
    reported, no message is sent to a worker, and no request's memory is open. Counts begin at
    zero. Make it automatic for all tests: `@pytest.fixture(autouse=True) def _(fresh_cache): …`.
    """
    settings.CACHING = {
        **getattr(settings, "CACHING", {}),
        "PREFIX": f"t{secrets.token_hex(6)}",
        "REPORT_SECONDS": 0,
        # A test that wants messages names a queue of its own.
        "REWRITE_QUEUE": "",
        # What is done in the background is done before the caller goes on, in its transaction.
        "BACKGROUND_THREADS": 0,
        # A busy machine is not a server that is away.
        "SOCKET_TIMEOUT": 5.0,
    }
    reset()
    guesses.forget_all()
    with memo.suspended():
        yield
    # Nobody works on into the next test, whose database and cache are others.
    _wait_for_the_background()
    # Nor goes a thread on trying a server that was away.
    engine.close()


@pytest.fixture
def nothing_is_stale(transactional_db: None) -> Iterator[None]:
    """Fail the test if, at its end, the cache would answer what a computation would not.

    Compute what a change concerns (call the widgets, get the page), call the service; the fixture
    compares every entry that was stored meanwhile. Needs real commits, hence the database fixture.
    """
    with watching_for_stale() as stale:
        yield
    found = stale()
    assert not found, f"the cache still answers with the old value: {found}"


def _wait_for_the_background() -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_idle():
        assert time.monotonic() < deadline, "the work in the background does not end"
        time.sleep(PAUSE)
