"""Statistics add up, whoever counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.caching import stats
from tests.unit.caching.test_forks import in_a_child

THREADS, TIMES = 8, 2000


def test_the_counts_of_all_threads_add_up() -> None:
    together = threading.Barrier(THREADS, timeout=10)

    def count(_: int) -> None:
        together.wait()
        for _number in range(TIMES):
            stats.count("load", "hits")
            stats.count("load", "bytes_read", 10)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(count, range(THREADS)))

    assert stats.counted()["load"] == {
        "hits": THREADS * TIMES,
        "bytes_read": THREADS * TIMES * 10,
    }


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_counts_although_its_parent_was_counting_at_the_fork() -> None:
    def count() -> bool:
        stats.count("load", "hits")
        return stats.counted()["load"]["hits"] == 1

    counting = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with stats._lock:
            counting.set()
            done.wait(10)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(hold)
        assert counting.wait(10)
        fine = in_a_child(count)
        done.set()
        answer.result(10)

    assert fine


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_does_not_count_again_what_its_parent_has_counted() -> None:
    stats.count("load", "hits")

    assert in_a_child(lambda: stats.counted() == {})
    assert stats.counted()["load"]["hits"] == 1
