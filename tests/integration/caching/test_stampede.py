"""Many processes miss the same entries at once: one computes each, the others wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from apps import caching
from apps.caching.lookup import Found, look_up
from devstack.servers import Memcached, Valkey
from tests.support.stampede import NUMBERS, Asker
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration
PROCESSES = 4
EXPIRIES = 3
Start = Callable[..., list[Asker]]
SINGLE = ("single", "['value 1']", "1")
BATCH = ("batch", f"['{' '.join(f'value {number}' for number in NUMBERS)}']", "012345")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where each computation leaves its number."""
    file = tmp_path / "computations"
    file.touch()
    return file


@pytest.fixture
def start(server: Valkey | Memcached, file: Path) -> Iterator[Start]:
    started: list[Asker] = []

    def start(number: int, kind: str, **options: float) -> list[Asker]:
        new = [Asker(file, kind, **options) for _ in range(number)]
        started.extend(new)
        assert [asker.hear() for asker in new] == ["ready"] * number
        return new

    yield start
    for asker in started:
        asker.end()


def all_ask(askers: list[Asker]) -> list[str]:
    for asker in askers:
        asker.say("go")
    return [asker.hear() for asker in askers]


@pytest.mark.parametrize(("kind", "answer", "once"), [SINGLE, BATCH], ids=["single", "batch"])
def test_each_is_computed_once_when_cold_and_at_every_expiry(
    start: Start, file: Path, kind: str, answer: str, once: str
) -> None:
    askers = start(PROCESSES, kind)

    for times in range(1, EXPIRIES + 2):
        assert all_ask(askers) == [answer] * PROCESSES
        assert "".join(sorted(file.read_text())) == "".join(sorted(once * times))
        askers[0].say("forget")
        assert askers[0].hear() == "forgotten"


@pytest.mark.parametrize(("kind", "answer", "once"), [SINGLE, BATCH], ids=["single", "batch"])
def test_who_is_killed_with_a_lease_holds_nobody_up_for_long(
    start: Start, file: Path, kind: str, answer: str, once: str
) -> None:
    # Both compute the same function: what differs is outside the code that names the entry.
    [doomed] = start(1, "hang", LEASE_SECONDS=2)
    others = start(2, kind, LEASE_SECONDS=2)
    doomed.say("go")
    wait_until(lambda: file.read_text() == "1")
    for other in others:
        other.say("go")
    doomed.end()

    assert [other.hear() for other in others] == [answer] * 2
    assert sorted(set(file.read_text())) == sorted(once)


released = threading.Event()
started: list[str] = []
present = ["old"]


@caching.cached(timeout=timedelta(seconds=0.05), tags=["things"], stale_for=timedelta(minutes=5))
def get_slowly() -> str:
    started.append(present[0])
    assert released.wait(10)
    return present[0]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_where_an_old_value_may_be_shown(
    server: Valkey | Memcached, settings: Settings
) -> None:
    settings.CACHING = {**settings.CACHING, "BACKGROUND_THREADS": 2}
    started.clear()
    released.set()
    present[0] = "old"
    get_slowly()
    wait_until(lambda: look_up([get_slowly.call()])[0].found is Found.SOFT)

    released.clear()
    present[0] = "new"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: get_slowly(), range(32)))
    wait_until(lambda: len(started) == 2)

    assert answers == ["old"] * 32  # while the computation is going on
    assert get_slowly() == "old"
    assert len(started) == 2
    released.set()
    wait_until(lambda: get_slowly() == "new")
