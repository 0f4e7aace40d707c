"""The five verbs on real servers, and the ways in which real servers fail."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.caching.stores import Item, Refused, Store, StoreAway, open_store
from devstack.servers import Memcached, Valkey
from tests.support.stores import StoreContract

pytestmark = pytest.mark.integration
PATIENCE = 30.0


def address(server: Valkey | Memcached) -> str:
    return server.url() if isinstance(server, Valkey) else server.url


@pytest.fixture
def store(server: Valkey | Memcached) -> Iterator[Store]:
    # Longer than any machine is busy: what waits for it has failed.
    store = open_store(address(server), timeout=PATIENCE)
    yield store
    store.close()


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word, as one that is frozen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


class TestServers(StoreContract):
    """On Valkey and on Memcached."""


def test_a_server_that_is_gone_says_so_at_once(server: Valkey | Memcached, store: Store) -> None:
    store.put([Item("a", b"1", 60)])
    server.kill()

    started = time.monotonic()
    with pytest.raises(StoreAway):
        store.get(["a"])
    with pytest.raises(StoreAway):
        store.put([Item("a", b"1", 60)])

    assert time.monotonic() - started < PATIENCE


def test_a_frozen_server_is_away_until_it_thaws(server: Valkey | Memcached, store: Store) -> None:
    impatient = open_store(address(server), timeout=0.5)
    impatient.put([Item("a", b"1", 60)])
    server.freeze()

    with pytest.raises(StoreAway):
        impatient.get(["a"])

    server.thaw()
    assert store.get(["a"]) == [b"1"]
    impatient.close()


@pytest.mark.parametrize("scheme", ["redis", "memcached"])
def test_a_frozen_server_costs_one_time_out(silence: socket.socket, scheme: str) -> None:
    port = silence.getsockname()[1]
    store = open_store(f"{scheme}://127.0.0.1:{port}", timeout=0.2)

    with pytest.raises(StoreAway):
        store.get(["a"])

    # Each try has a connection of its own, which has waited for the server to take it.
    tries = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            silence.accept()[0].close()
            tries += 1
    assert tries == 1
    store.close()


def test_a_restarted_server_is_read_at_the_first_try(
    server: Valkey | Memcached, store: Store
) -> None:
    store.put([Item("a", b"1", 60)])
    server.kill()
    server.start()

    assert len(store.get(["a", "b"])) == 2


def test_a_restarted_server_is_written_to_at_the_second_try(
    server: Valkey | Memcached, store: Store
) -> None:
    """However many connections of before are idle: each try must not meet another dead one."""
    together = threading.Barrier(4)

    def write(number: int) -> None:
        together.wait(PATIENCE)
        store.put([Item(f"{number}:{at}", b"1", 60) for at in range(200)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    server.kill()
    server.start()

    with contextlib.suppress(StoreAway):
        store.put([Item("a", b"1", 60)])
    store.put([Item("a", b"2", 60)])

    assert store.get(["a"]) == [b"2"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(store: Store) -> None:
    store.put([Item("parent", b"1", 60), Item("child", b"2", 60)])

    child = os.fork()
    if child == 0:
        fine = all(store.get(["child"]) == [b"2"] for _ in range(200))
        os._exit(0 if fine else 1)
    mine = [store.get(["parent"]) for _ in range(200)]
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert mine == [[b"1"]] * 200


class TimeIsUp(BaseException):
    """As gevent raises it, and whoever has no time for what an Exception might be caught by."""


def test_an_interrupted_question_leaves_no_answer_to_the_next_one(
    server: Valkey | Memcached, store: Store
) -> None:
    def interrupt(*_: object) -> None:
        raise TimeIsUp

    writer = open_store(address(server), timeout=PATIENCE)
    store.put([Item("a", b"old", 60)])
    server.freeze()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(TimeIsUp):
            store.get(["a"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        server.thaw()

    writer.put([Item("a", b"new", 60)])

    assert store.get(["a"]) == [b"new"]
    writer.close()


@pytest.mark.memcached
def test_memcached_refuses_what_is_too_large(memcached_server: Memcached) -> None:
    store = open_store(memcached_server.url, timeout=PATIENCE)

    with pytest.raises(Refused):
        store.put([Item("a", b"x" * (1024 * 1024 + 1), 60)])
    assert store.get(["a"]) == [None]
    store.close()


def test_times_shorter_than_a_second_are_kept(server: Valkey | Memcached, store: Store) -> None:
    store.put([Item("a", b"1", 0.4)])

    assert store.get(["a"]) == [b"1"]
