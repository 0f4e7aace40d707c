"""Readers and a writer at full speed: no reader is ever answered from before its question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction

from apps import caching
from apps.caching.stats import counted
from devstack.servers import Memcached, Valkey

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
QUESTIONS = 200
MOST_WRITES = 5000
READERS = 4


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"])
def get_number(pk: int) -> int:
    return int(Group.objects.get(pk=pk).name)


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"], stale_for=timedelta(minutes=5))
def get_square(pk: int) -> int:
    """An entry built from an entry."""
    return get_number(pk) ** 2


class Progress:
    """What is committed and announced: a question asked later has at least this answer."""

    def __init__(self) -> None:
        self.announced = 0
        self.asked = 0
        self.is_over = False
        self.problems: list[str] = []


@contextmanager
def own_connections() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()


def write(group: Group, progress: Progress) -> None:
    with own_connections():
        for number in range(1, MOST_WRITES):
            if progress.asked >= QUESTIONS:
                break
            with transaction.atomic():
                Group.objects.filter(pk=group.pk).update(name=str(number))
                caching.changed(group)
                if number % 7 == 0:
                    # What is taken back must not be seen, nor keep the rest from being seen.
                    with transaction.atomic():
                        Group.objects.filter(pk=group.pk).update(name="-1")
                        get_number(group.pk)
                        transaction.set_rollback(True)
            progress.announced = number
        progress.is_over = True


def read(group: Group, progress: Progress, start: threading.Barrier) -> None:
    with own_connections():
        start.wait(10)
        while not progress.is_over:
            least = progress.announced
            number, square = get_number(group.pk), get_square(group.pk)
            if number < least or square < least**2:
                progress.problems.append(f"{number} and {square} after {least}")
            progress.asked += 1


def test_no_answer_is_older_than_the_question(server: Valkey | Memcached) -> None:
    group = Group.objects.create(name="0")
    progress = Progress()
    start = threading.Barrier(READERS + 1)

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, group, progress, start) for _ in range(READERS)]
        start.wait(10)
        try:
            write(group, progress)
        finally:
            progress.is_over = True
        for reader in readers:
            reader.result(30)

    assert progress.problems == []
    assert progress.asked >= QUESTIONS
    assert counted()[get_number.name]["misses_outdated"] > 0
    assert get_number(group.pk) == progress.announced > 0
