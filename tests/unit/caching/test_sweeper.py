"""The thread of each worker that delivers what others left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from pytest_django import Settings

from apps.caching import worker
from apps.caching.models import Undelivered
from apps.caching.worker import Sweeper
from tests.support.caching import Flaky, serving
from tests.support.wait import wait_until


@pytest.fixture(autouse=True)
def _servers(settings: Settings) -> Iterator[None]:
    settings.CACHING = {**settings.CACHING, "SWEEP_SECONDS": 0.01}
    with serving(Flaky("memory://a")):
        yield


@pytest.mark.django_db(transaction=True)
def test_it_sweeps_at_once_and_again_until_it_is_stopped() -> None:
    step = Sweeper(None)
    Undelivered.objects.create(tags=["a"], server="memory://a")

    step.start(None)
    wait_until(lambda: not Undelivered.objects.exists())
    Undelivered.objects.create(tags=["b"], server="memory://a")
    wait_until(lambda: not Undelivered.objects.exists())
    step.stop(None)

    assert "cache-sweeper" not in [thread.name for thread in threading.enumerate()]


def test_a_sweep_that_fails_is_followed_by_another(caplog: pytest.LogCaptureFixture) -> None:
    swept = iter([OSError("gone")])
    went_on = threading.Event()

    def sweep() -> int:
        for error in swept:
            raise error
        went_on.set()
        return 0

    step = Sweeper(None)
    with patch.object(worker, "sweep", sweep):
        step.start(None)
        assert went_on.wait(10)
        step.stop(None)

    assert "sweep failed" in caplog.text


def test_without_an_outbox_there_is_no_thread(settings: Settings) -> None:
    assert Sweeper(None).include_if(None)

    settings.CACHING = {**settings.CACHING, "SERVERS": ["memory://"], "DURABLE": False}

    assert not Sweeper(None).include_if(None)
