"""A writer that is killed with SIGKILL takes no invalidation along: real processes and servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction
from pytest_django import Settings

from apps import caching
from apps.caching.engine import engine
from apps.caching.models import Undelivered
from apps.caching.sweeping import sweep
from devstack.servers import Memcached, Valkey
from tests.support.caching import trace
from tests.support.servers import StartWorker
from tests.support.wait import wait_until
from tests.support.writer import write_and_die

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
NOW = timedelta(0)


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"])
def get_name(pk: int) -> str:
    return Group.objects.get(pk=pk).name


@pytest.fixture
def group(server: Valkey | Memcached) -> Group:
    """Return a group whose name is in the cache."""
    group = Group.objects.create(name="old")
    assert get_name(group.pk) == "old"
    return group


def is_cached(group: Group) -> bool:
    with trace() as seen:
        get_name(group.pk)
    return seen.queries == []


def test_a_writer_that_lives_leaves_no_row(group: Group) -> None:
    write_and_die(group.pk, "new", "never")

    assert not Undelivered.objects.exists()
    assert get_name(group.pk) == "new"


def test_a_writer_killed_after_the_commit_is_made_up_for(group: Group) -> None:
    write_and_die(group.pk, "new", "between")
    assert Group.objects.get().name == "new"
    assert get_name(group.pk) == "old"  # what docs/caching.md calls the window

    assert sweep(grace=NOW) == 1

    assert get_name(group.pk) == "new"
    assert is_cached(group)
    assert not Undelivered.objects.exists()


def test_a_server_process_that_starts_after_it_reads_nothing_old(group: Group) -> None:
    write_and_die(group.pk, "new", "between")

    caching.sweep_at_start()

    assert get_name(group.pk) == "new"


def test_a_writer_killed_while_it_owed_is_made_up_for(
    group: Group, server: Valkey | Memcached
) -> None:
    server.freeze()
    write_and_die(group.pk, "new", "owing")
    server.thaw()
    assert [row.server for row in Undelivered.objects.all()] == [engine().servers.nodes[0].name]

    assert sweep() == 1

    assert get_name(group.pk) == "new"
    assert is_cached(group)


def test_who_saw_the_server_away_never_reads_what_is_old(
    group: Group, server: Valkey | Memcached
) -> None:
    node = engine().servers.nodes[0]
    server.freeze()
    while not node.breaker.is_open:
        get_name(group.pk)
    write_and_die(group.pk, "new", "owing")
    server.thaw()  # with the old entry, and its old version

    def answers_and_is_back() -> bool:
        assert get_name(group.pk) == "new"
        return is_cached(group)

    wait_until(answers_and_is_back)
    assert not Undelivered.objects.exists()


def test_a_sweep_while_the_server_is_away_keeps_the_row(
    group: Group, server: Valkey | Memcached
) -> None:
    server.freeze()
    write_and_die(group.pk, "new", "owing")

    assert sweep() == 0
    assert Undelivered.objects.count() == 1

    server.thaw()
    assert sweep() == 1


def test_two_sweepers_do_not_wait_for_each_other(group: Group) -> None:
    def sweep_elsewhere() -> int:
        try:
            return sweep(grace=NOW)
        finally:
            connections.close_all()

    Undelivered.objects.create(tags=["a"])
    with transaction.atomic():
        list(Undelivered.objects.select_for_update())
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(sweep_elsewhere).result(10) == 0

    assert sweep(grace=NOW) == 1


def test_every_worker_sweeps(
    valkey_server: Valkey, settings: Settings, worker: StartWorker
) -> None:
    group = Group.objects.create(name="old")
    settings.CACHING = {**settings.CACHING, "SERVERS": [valkey_server.url()]}
    assert get_name(group.pk) == "old"
    write_and_die(group.pk, "new", "between")

    worker("mail", CACHE_URL=valkey_server.url())

    wait_until(lambda: not Undelivered.objects.exists())
    assert get_name(group.pk) == "new"
    engine().servers.close()
