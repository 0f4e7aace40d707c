"""Many processes miss the same entries at once: one computes each, the others wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connections
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from apps import caching
from apps.caching.lookup import Found, look_up
from apps.caching.stats import counted
from devstack.servers import Memcached, Valkey
from tests.support.expiries import Visitors
from tests.support.renewal import source
from tests.support.stampede import NUMBERS, THREADS, Asker
from tests.support.views import a_request, text
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration
PROCESSES = 4
EXPIRIES = 3
Start = Callable[..., list[Asker]]
A = TypeVar("A", bound=Asker)
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
        started.extend(Asker(file, kind, **options) for _ in range(number))
        return ready(started[-number:])

    yield start
    for asker in started:
        asker.end()


@pytest.fixture
def visitors(server: Valkey | Memcached, file: Path) -> Iterator[list[Visitors]]:
    """Four processes with visitors of an entry that may be stale."""
    started = [Visitors(file, "soft") for _ in range(PROCESSES)]
    yield ready(started)
    for each in started:
        each.end()


def ready(processes: list[A]) -> list[A]:
    assert [each.hear() for each in processes] == ["ready"] * len(processes)
    return processes


def all_ask(askers: list[Asker]) -> list[str]:
    for asker in askers:
        asker.say("go")
    return [asker.hear() for asker in askers]


def has_more(file: Path, number: int) -> bool:
    """Say whether more than so many computations have begun."""
    return file.stat().st_size > number


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


def test_where_it_may_be_stale_one_computes_at_every_expiry_and_nobody_waits(
    visitors: list[Visitors], file: Path
) -> None:
    """All have looked before the next value is stored; half of them come for the lease after it."""

    def all_do(word: str) -> list[str]:
        for each in visitors:
            each.say(word)
        return [each.hear() for each in visitors]

    visitors[0].do("fill")
    for times in range(1, EXPIRIES + 1):
        old = [str(times)] * PROCESSES
        assert all_do("expire") == ["stale"] * PROCESSES
        assert all_do("look") == ["looked"] * PROCESSES
        assert all_do("early") == old  # while nothing that is computed can come to its end
        wait_until(partial(has_more, file, times))
        all_do("release")
        assert all_do("settle") == ["settled"] * PROCESSES
        assert all_do("late") == old
        assert not has_more(file, times + 1)


@caching.cached_view(timeout=timedelta(minutes=5))
def page(request: HttpRequest) -> HttpResponse:
    """What it is built from a process learns by building it, and forgets with it."""
    return HttpResponse(hold_up(1))


@caching.cached(timeout=timedelta(minutes=5), tags=["thing:{number}"])
def hold_up(number: int) -> str:
    return source.read(number)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("background_threads")
def test_with_the_server_stopped_one_computes_for_all_who_ask_meanwhile(
    server: Valkey | Memcached,
) -> None:
    def ask() -> str:
        try:
            return text(page(a_request("/page/")))
        finally:
            connections.close_all()

    server.kill()
    with ThreadPoolExecutor(THREADS) as pool:
        first_may_end = source.hold()
        first = pool.submit(ask)
        wait_until(lambda: len(source.computed) == 1)
        source.value = "new"
        next_may_end = source.hold()
        others = [pool.submit(ask) for _ in range(THREADS - 1)]
        wait_until(lambda: counted()[page.name].get("waits") == THREADS - 1)
        first_may_end.set()
        wait_until(lambda: counted()[page.name]["waits"] == 2 * THREADS - 3)
        next_may_end.set()

        assert first.result() == "old"
        assert [answer.result() for answer in others] == ["new"] * (THREADS - 1)
    assert len(source.computed) == 2


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
