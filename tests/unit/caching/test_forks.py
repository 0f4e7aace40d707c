"""What a fork copies and must not use."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.caching import engine, events, reporting, versions
from apps.caching.breaker import FAILURES
from apps.caching.flights import boarding
from apps.caching.learning import guesses
from apps.caching.locks import Lock
from apps.caching.node import Node
from tests.support.caching import Flaky

HOUR = 3_600_000 << versions.RANDOM_BITS
PATIENCE = 10


def in_a_child(work: Callable[[], bool]) -> bool:
    """Return what `work` returns in a fork of this process."""
    child = os.fork()
    if child == 0:
        fine = False
        signal.alarm(PATIENCE)  # who hangs is killed, or stopped by whoever handles it
        try:
            fine = work()
        finally:
            os._exit(0 if fine else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_does_not_wait_for_what_its_parent_computes() -> None:
    started, go_on = threading.Event(), threading.Event()

    def compute() -> None:
        with boarding(("entry", "versions")):
            started.set()
            go_on.wait(PATIENCE)

    def leads() -> bool:
        with boarding(("entry", "versions")) as (_, leads):
            return leads

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(compute)
        assert started.wait(PATIENCE)
        assert in_a_child(leads)
        assert not leads()  # here it is still going on
        go_on.set()
        answer.result(PATIENCE)


def drawn_in_a_child() -> set[bytes]:
    reader, writer = os.pipe()

    def draw() -> bool:
        drawn = b"".join(versions.new_version() for _ in range(10))
        return os.write(writer, drawn) == len(drawn)

    assert in_a_child(draw)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        drawn = pipe.read()
    return {drawn[at : at + versions.VERSION_BYTES] for at in range(0, len(drawn), 8)}


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forks_draw_different_versions_while_the_clock_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All go on from the number that their parent drew before the clock was set back."""
    last = int.from_bytes(versions.new_version(), "big") + HOUR
    monkeypatch.setattr(versions, "_last", last)

    drawn = [drawn_in_a_child() for _ in range(3)]

    assert len(set().union(*drawn)) == 30


def test_versions_grow_while_the_clock_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    last = int.from_bytes(versions.new_version(), "big") + HOUR
    monkeypatch.setattr(versions, "_last", last)

    drawn = [versions.new_version() for _ in range(100)]

    assert drawn == sorted(set(drawn))
    assert drawn[0] > last.to_bytes(versions.VERSION_BYTES, "big")


def held_in_a_thread(lock: Lock, work: Callable[[], bool]) -> bool:
    """Return what `work` returns while another thread holds the lock."""
    taken, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            go_on.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert taken.wait(PATIENCE)
        try:
            return work()
        finally:
            go_on.set()
            holder.result(PATIENCE)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_owes_and_asks_although_a_thread_of_its_parent_held_the_server() -> None:
    store = Flaky("memory://flaky")
    store.away = True
    node = Node(store)

    def is_used() -> bool:
        return not node.bump(["tag"], everything="all") and node.get(["tag"]) is None

    assert held_in_a_thread(node._lock, lambda: in_a_child(is_used))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_has_a_breaker_that_nobody_holds() -> None:
    node = Node(Flaky("memory://flaky"))

    def opens() -> bool:
        for _ in range(FAILURES):
            node.breaker.failed()
        return node.breaker.is_open and not node.breaker.allows()

    assert held_in_a_thread(node.breaker._lock, lambda: in_a_child(opens))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize(
    "lock",
    [guesses._lock, events._lock, engine._making, reporting._wake],
    ids=["guesses", "events", "engine", "reporting"],
)
def test_a_child_finds_no_lock_taken(lock: Lock) -> None:
    def takes() -> bool:
        with lock:
            return True

    assert held_in_a_thread(lock, lambda: in_a_child(takes))
