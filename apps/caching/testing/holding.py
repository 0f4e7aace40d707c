"""Forcing the race that caches lose: a change between a reader's query and his store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connections

from apps.caching.events import Counted, Event, listening

T = TypeVar("T")
PATIENCE = 60.0


@contextmanager
def hold_after_read(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Run `work` in a thread, and hold it where it has computed a value and stored nothing yet.

        with hold_after_read(lambda: list_orders(17)) as answer:
            cancel_order(...)                  # commits
        assert answer.result() == [...]        # the reader had asked before
        assert list_orders(17) == []           # and nobody is shown what he stored

    Needs real commits: `django_db(transaction=True)`. Of several computations the first one is
    held. Raises AssertionError if `work` ends without one: it was a hit.
    """
    has_read: Future[None] = Future()
    may_go_on = threading.Event()

    def hear(event: Event) -> None:
        computed = isinstance(event, Counted) and event.what == "computations"
        # Only the first one of the thread in question: others are free to compute.
        if computed and threading.get_ident() == reader.ident and not has_read.done():
            has_read.set_result(None)
            may_go_on.wait(PATIENCE)

    answer: Future[T] = Future()
    reader = threading.Thread(target=_run, args=(work, answer), daemon=True)
    with listening(hear):
        reader.start()
        either: list[Future[Any]] = [has_read, answer]
        wait(either, timeout=PATIENCE, return_when=FIRST_COMPLETED)
        try:
            assert has_read.done(), "nothing was computed: is it in the cache already?"
            yield answer
        finally:
            may_go_on.set()
            reader.join(PATIENCE)


def _run(work: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:  # noqa: BLE001 - whatever it was: for who asks for the result
        answer.set_exception(error)
    finally:
        connections.close_all()
