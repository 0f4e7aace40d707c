"""One engine for all threads of a process, for it remembers what the servers are owed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from pytest_django import Settings

from apps.caching import engine as engines
from apps.caching.engine import Engine, engine
from tests.support.caching import Flaky, serving

PATIENCE = 5
SECOND = 0.2  # how long the first waits for one who ought not to come


class Read(dict[str, object]):
    """A setting. Who reads it waits until another thread reads it too, but not for long."""

    def __init__(self, values: dict[str, object]) -> None:
        super().__init__(values)
        self.readers = threading.Barrier(2)

    def items(self) -> Any:
        with suppress(threading.BrokenBarrierError):
            self.readers.wait(SECOND)
        return super().items()


@pytest.fixture
def setting(settings: Settings) -> Iterator[Read]:
    before = engine()
    setting = Read(settings.CACHING)
    settings.CACHING = setting
    yield setting
    engines.replace(before)


@pytest.mark.usefixtures("setting")
def test_threads_that_ask_first_at_once_get_the_same_one() -> None:
    together = threading.Barrier(4)
    made: list[Engine] = []

    def first() -> Engine:
        together.wait(PATIENCE)
        return engine()

    replace = engines.replace

    def noted(new: Engine) -> None:
        made.append(new)
        replace(new)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(engines, "replace", noted)
        answers = [pool.submit(first) for _ in range(4)]

        assert {id(answer.result(PATIENCE)) for answer in answers} == {id(made[0])}
    assert len(made) == 1


def test_an_engine_that_is_given_back_goes_on_trying_nothing() -> None:
    store = Flaky("memory://away")
    store.away = True
    with serving(store) as servers:
        engine().bump(["a"])
        assert servers.nodes[0].owes

        engines.close()

        assert not servers.nodes[0].owes
        assert not servers.nodes[0].is_shut
