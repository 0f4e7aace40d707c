"""The races that serve an old value from most caches, forced on real servers and a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from apps import caching
from apps.caching.engine import engine
from apps.caching.lookup import Found, judge, place
from apps.caching.node import Node
from apps.caching.stores import Item
from devstack.servers import Memcached, Valkey
from tests.support.caching import trace
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
PATIENCE = 10


class Hold:
    """Stops a reader between its query and its store."""

    def __init__(self) -> None:
        self.has_read = threading.Event()
        self.may_go_on = threading.Event()
        self.armed = False

    def point(self) -> None:
        if self.armed:
            self.has_read.set()
            assert self.may_go_on.wait(PATIENCE)


hold = Hold()


@caching.cached(timeout=timedelta(minutes=5), tags=["group:{pk}"])
def get_name(pk: int) -> str | None:
    found = Group.objects.filter(pk=pk).first()
    hold.point()
    return found.name if found else None


@pytest.fixture(autouse=True)
def _new_hold() -> None:
    hold.__init__()  # type: ignore[misc]


@pytest.fixture
def group(server: Valkey | Memcached) -> Group:
    return Group.objects.create(name="old")


def in_thread(work: Callable[[], Any]) -> Any:
    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


@contextmanager
def reader_held(pk: int) -> Iterator[Any]:
    """Yield while a reader in another thread has read the database and not stored yet."""
    hold.armed = True
    answer = in_thread(lambda: get_name(pk))
    assert hold.has_read.wait(PATIENCE)
    hold.armed = False
    yield answer
    hold.may_go_on.set()
    answer.result(PATIENCE)


def write(group: Group, name: str) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name=name)
        caching.changed(group)


def test_a_reader_that_stores_after_the_invalidation_is_not_believed(group: Group) -> None:
    with reader_held(group.pk) as answer:
        write(group, "new")

    assert answer.result(PATIENCE) == "old"  # it had asked before the change
    assert get_name(group.pk) == "new"


def test_a_reader_inside_the_writers_transaction_stores_the_old_value_in_vain(
    group: Group,
) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="new")
        caching.changed(group)
        assert in_thread(lambda: get_name(group.pk)).result(PATIENCE) == "old"

    assert get_name(group.pk) == "new"


def test_the_writers_own_reads_leave_no_trace_after_a_rollback(group: Group) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="never")
        assert get_name(group.pk) == "never"
        caching.changed(group)
        assert get_name(group.pk) == "never"
        transaction.set_rollback(True)

    assert get_name(group.pk) == "old"


def test_raw_sql_is_seen_when_it_is_told(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        connection.cursor().execute("UPDATE auth_group SET name = 'new'")
        caching.invalidate(f"group:{group.pk}")

    assert get_name(group.pk) == "new"


def test_a_snapshot_from_before_the_change_stores_nothing(group: Group) -> None:
    def read_in_snapshot() -> str | None:
        with transaction.atomic():
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            Group.objects.count()  # the snapshot is taken here
            hold.point()
            return get_name(group.pk)

    hold.armed = True
    answer = in_thread(read_in_snapshot)
    assert hold.has_read.wait(PATIENCE)
    hold.armed = False
    write(group, "new")
    hold.may_go_on.set()

    assert answer.result(PATIENCE) == "old"  # that is what a snapshot is
    assert get_name(group.pk) == "new"


@pytest.mark.parametrize("lost", ["the tags", "everything"])
def test_what_the_server_forgets_is_a_miss(group: Group, lost: str) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    Group.objects.update(name="new")

    where.node.store.drop(where.tags if lost == "the tags" else [where.key, *where.tags])

    assert get_name(group.pk) == "new"


def test_a_version_that_was_lost_does_not_return(group: Group) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    old_entry = where.node.store.get([where.key])[0]
    assert old_entry is not None
    where.node.store.drop([where.key, *where.tags])
    Group.objects.update(name="new")
    get_name(group.pk)

    where.node.store.put([Item(where.key, old_entry, 60)])

    assert get_name(group.pk) == "new"


def stored_and_changed_while(
    group: Group, away: Callable[[], None], back: Callable[[], object]
) -> Node:
    """Fill the cache, write while the server is away, bring it back; return its node."""
    get_name(group.pk)
    node = engine().servers.nodes[0]
    away()
    write(group, "new")
    assert get_name(group.pk) == "new"
    back()
    return node


@pytest.mark.parametrize(("away", "back"), [("freeze", "thaw"), ("kill", "start")])
def test_a_server_that_missed_an_invalidation_is_not_believed(
    group: Group, server: Valkey | Memcached, away: str, back: str
) -> None:
    # This Valkey comes back with all that it held; what was sent to it while dead never arrived.
    node = stored_and_changed_while(group, getattr(server, away), getattr(server, back))

    assert get_name(group.pk) == "new"
    wait_until(lambda: not node.owes, seconds=PATIENCE)
    assert get_name(group.pk) == "new"


def test_nor_is_it_by_another_process_once_it_has_been_told(
    group: Group, server: Valkey | Memcached
) -> None:
    node = stored_and_changed_while(group, server.kill, server.start)
    wait_until(lambda: not node.owes, seconds=PATIENCE)
    where = place(get_name.call(group.pk), engine())

    raw, *versions = node.store.get([where.key, *where.tags])

    assert judge(get_name.call(group.pk), raw, tuple(versions)).found is not Found.HIT


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_the_cache_the_site_is_slower_and_right(
    group: Group, server: Valkey | Memcached, how: str
) -> None:
    assert get_name(group.pk) == "old"
    getattr(server, how)()

    for number in range(5):
        write(group, f"name {number}")
        assert get_name(group.pk) == f"name {number}"
        assert get_name.many([(group.pk,), (group.pk + 1,)]) == [f"name {number}", None]
    server.thaw()


def test_a_cache_that_is_back_is_used_again(group: Group, server: Valkey | Memcached) -> None:
    node = stored_and_changed_while(group, server.kill, server.start)

    wait_until(lambda: not node.owes, seconds=PATIENCE)
    get_name(group.pk)

    with trace() as seen:
        assert get_name(group.pk) == "new"
    assert seen.queries == []


@pytest.mark.memcached
def test_one_of_two_servers_that_missed_a_change_is_not_believed(
    two_servers: tuple[Valkey, Memcached],
) -> None:
    valkey, _ = two_servers
    groups = [Group.objects.create(name=f"old {number}") for number in range(12)]
    for group in groups:
        get_name(group.pk)
    assert len({place(get_name.call(g.pk), engine()).node.name for g in groups}) == 2

    valkey.freeze()
    for group in groups:
        write(group, f"new {group.pk}")
    valkey.thaw()

    wanted = [f"new {group.pk}" for group in groups]
    assert get_name.many([(group.pk,) for group in groups]) == wanted
    wait_until(lambda: not any(node.owes for node in engine().servers.nodes), seconds=PATIENCE)
    assert get_name.many([(group.pk,) for group in groups]) == wanted
    assert [get_name(group.pk) for group in groups] == wanted
