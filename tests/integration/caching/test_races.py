"""The races that serve an old value from most caches, forced with barriers on a real database.

The letters are those of docs/caching.md. Races of servers that come and go are in
test_server_races.py, (h) the writer that is killed in test_killed_writers.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from apps import caching
from apps.caching import memo
from apps.caching.engine import engine
from apps.caching.lookup import place
from apps.caching.stores import Item
from devstack.servers import Memcached, Valkey
from tests.support.races import PATIENCE, get_name, greet, held, hold, in_thread, write

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def group(server: Valkey | Memcached) -> Group:
    return Group.objects.create(name="old")


def read_many(pk: int) -> Any:
    return get_name.many([(pk,), (pk + 1,)])[0]


def read_ahead(pk: int) -> Any:
    with memo.remembering():
        caching.prefetch(get_name.call(pk))
        return get_name(pk)


def read_in_transaction(pk: int) -> Any:
    with transaction.atomic():
        return get_name(pk)


READERS = [get_name, read_many, read_ahead, read_in_transaction, get_name.refresh]
NAMES = ["one", "many", "ahead", "in a transaction", "rewriting"]


@contextlib.contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("read", READERS, ids=NAMES)
def test_a_reader_that_stores_after_the_invalidation_is_not_believed(
    group: Group, read: Callable[[int], Any]
) -> None:
    with held(lambda: read(group.pk)) as answer:
        write(group, "new")

    assert answer.result(PATIENCE) == "old"  # it had asked before the change
    assert get_name(group.pk) == "new"


def test_a_reader_of_what_is_built_from_others_is_not_believed_either(group: Group) -> None:
    with held(lambda: greet(group.pk)) as answer:
        write(group, "new")

    assert answer.result(PATIENCE) == "Hello old"
    assert greet(group.pk) == "Hello new"
    assert get_name(group.pk) == "new"


def test_a_late_old_value_in_place_of_a_new_one_is_not_believed(group: Group) -> None:
    with held(lambda: get_name(group.pk)):
        write(group, "new")
        assert get_name(group.pk) == "new"

    assert get_name(group.pk) == "new"


def test_b_who_reads_inside_the_writers_transaction_stores_the_old_value_in_vain(
    group: Group,
) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="new")
        caching.changed(group)
        assert in_thread(lambda: get_name(group.pk)).result(PATIENCE) == "old"

    assert get_name(group.pk) == "new"


def test_b_who_began_inside_it_and_stores_after_it_is_not_believed(group: Group) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="new")
        caching.changed(group)
        block = held(lambda: get_name(group.pk))
        block.__enter__()
    block.__exit__(None, None, None)

    assert get_name(group.pk) == "new"


def test_c_the_writers_own_reads_leave_no_trace_after_a_rollback(group: Group) -> None:
    with rolled_back():
        Group.objects.filter(pk=group.pk).update(name="never")
        assert get_name(group.pk) == "never"
        caching.changed(group)
        assert get_name(group.pk) == "never"

    assert get_name(group.pk) == "old"


def test_c_nor_after_the_rollback_of_a_savepoint(group: Group) -> None:
    with transaction.atomic():
        with rolled_back():
            Group.objects.filter(pk=group.pk).update(name="never")
            assert get_name(group.pk) == "never"
            assert greet(group.pk) == "Hello never"
            caching.changed(group)
        assert get_name(group.pk) == "old"

    assert get_name(group.pk) == "old"
    assert greet(group.pk) == "Hello old"


def test_d_raw_sql_is_seen_when_it_is_told(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        connection.cursor().execute("UPDATE auth_group SET name = 'new'")
        caching.invalidate(f"group:{group.pk}")

    assert get_name(group.pk) == "new"


def test_d_so_is_an_update_outside_a_transaction_also_by_who_reads_before_it_is_told(
    group: Group,
) -> None:
    with held(lambda: get_name(group.pk)):
        Group.objects.filter(pk=group.pk).update(name="new")
        caching.changed(group)

    assert get_name(group.pk) == "new"


def keys(group: Group, what: str) -> list[str]:
    where = place(get_name.call(group.pk), engine())
    everything, function, *tags = where.tags
    return {
        "the tags": tags,
        "the function": [function],
        "the epoch": [everything],
        "all versions": list(where.tags),
    }[what]


@pytest.mark.parametrize("value", ["with the value", "without it"])
@pytest.mark.parametrize("lost", ["the tags", "the function", "the epoch", "all versions"])
def test_e_what_the_server_forgets_is_a_miss(group: Group, lost: str, value: str) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    Group.objects.update(name="new")

    gone = keys(group, lost) + ([where.key] if value == "with the value" else [])
    where.node.store.drop(gone)

    assert get_name(group.pk) == "new"


@pytest.mark.parametrize("lost", ["the tags", "the function", "the epoch"])
def test_e_what_is_forgotten_while_a_value_is_computed_is_a_miss(group: Group, lost: str) -> None:
    with held(lambda: get_name(group.pk)):
        Group.objects.update(name="new")  # told by what follows: the version is no more
        engine().servers.nodes[0].store.drop(keys(group, lost))

    assert get_name(group.pk) == "new"


def test_e_a_lease_that_is_forgotten_costs_work_and_no_truth(group: Group) -> None:
    where = place(get_name.call(group.pk), engine())
    with held(lambda: get_name(group.pk)):
        versions = where.node.versions(where.tags)
        assert versions is not None
        where.node.store.drop([engine().keys.lease(where.key, versions)])
        write(group, "new")
        assert get_name(group.pk) == "new"

    assert get_name(group.pk) == "new"


def test_e_a_version_that_was_lost_does_not_return(group: Group) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    old_entry = where.node.store.get([where.key])[0]
    assert old_entry is not None
    where.node.store.drop([where.key, *where.tags])
    Group.objects.update(name="new")
    get_name(group.pk)

    where.node.store.put([Item(where.key, old_entry, 60)])

    assert get_name(group.pk) == "new"


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_g_a_snapshot_from_before_the_change_stores_nothing(group: Group, level: str) -> None:
    def read_in_snapshot() -> str | None:
        with transaction.atomic():
            connection.cursor().execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            Group.objects.count()  # the snapshot is taken here
            hold.point()
            return get_name(group.pk)

    with held(read_in_snapshot) as answer:
        write(group, "new")

    assert answer.result(PATIENCE) == "old"  # that is what a snapshot is
    assert get_name(group.pk) == "new"
