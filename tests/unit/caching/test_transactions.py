"""Commits, rollbacks and savepoints on a real database: what is stored, and who sees what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from apps import caching
from apps.caching import memo, transactions
from apps.caching.stats import counted
from tests.support.caching import is_stale, nothing_is_stale, trace

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["group:{pk}"])
def get_name(pk: int) -> str:
    return Group.objects.get(pk=pk).name


@caching.cached(timeout=MINUTE, tags=["groups"])
def count_groups() -> int:
    return Group.objects.count()


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="old")


def rename(group: Group, name: str) -> None:
    group.name = name
    group.save()
    caching.changed(group)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_a_change_is_seen_after_the_commit(group: Group) -> None:
    assert get_name(group.pk) == "old"

    with transaction.atomic():
        rename(group, "new")

    assert get_name(group.pk) == "new"


def test_outside_a_transaction_a_change_is_seen_at_once(group: Group) -> None:
    get_name(group.pk)

    rename(group, "new")

    assert get_name(group.pk) == "new"


def test_the_writer_reads_its_own_write(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        rename(group, "new")
        assert get_name(group.pk) == "new"
        assert get_name.many([(group.pk,)]) == ["new"]


def test_a_rollback_leaves_everything_as_it_was(group: Group) -> None:
    get_name(group.pk)

    with rolled_back():
        rename(group, "never")
        assert get_name(group.pk) == "never"

    with trace() as seen:
        assert get_name(group.pk) == "old"
    assert seen.queries == []  # still the entry from before


def test_nothing_is_invalidated_before_the_commit(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        with trace() as seen:
            rename(group, "new")
        assert [trip.verb for trip in seen.trips] == []


def test_tags_of_one_transaction_leave_together(group: Group) -> None:
    with trace() as seen, transaction.atomic():
        rename(group, "new")
        caching.invalidate("groups", "stream")
        caching.changed(group)

    assert [line for line in seen.lines if line.startswith("put")] == ["put +3 tags"]


def test_a_savepoint_that_is_rolled_back_takes_its_tags_along(group: Group) -> None:
    get_name(group.pk)
    count_groups()

    with transaction.atomic():
        caching.invalidate("groups")
        with rolled_back():
            rename(group, "never")
        with trace() as seen:
            assert get_name(group.pk) == "old"
        assert seen.queries == []
        assert not is_stale(count_groups.call())

    with trace() as seen:
        get_name(group.pk)
        count_groups()
    assert len(seen.queries) == 1  # only what the outer transaction named


def test_a_savepoint_that_is_kept_keeps_its_tags(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        with transaction.atomic():
            rename(group, "new")
        assert get_name(group.pk) == "new"

    assert get_name(group.pk) == "new"


def test_a_rolled_back_savepoint_does_not_take_the_tags_of_the_outer(group: Group) -> None:
    get_name(group.pk)

    with transaction.atomic():
        rename(group, "new")
        with rolled_back():
            rename(group, "never")

    assert get_name(group.pk) == "new"


def test_uncommitted_data_is_not_stored_even_before_it_is_announced(group: Group) -> None:
    with rolled_back():
        Group.objects.filter(pk=group.pk).update(name="phantom")
        assert get_name(group.pk) == "phantom"
        caching.changed(group)

    assert get_name(group.pk) == "old"


def test_uncommitted_data_does_not_stay_in_the_request(group: Group) -> None:
    with memo.remembering():
        with rolled_back():
            Group.objects.filter(pk=group.pk).update(name="phantom")
            get_name(group.pk)

        assert get_name(group.pk) == "old"


def test_a_transaction_that_only_reads_may_store(group: Group) -> None:
    with transaction.atomic():
        get_name(group.pk)

    with trace() as seen:
        get_name(group.pk)
    assert seen.queries == []


def test_a_snapshot_may_not_store(group: Group) -> None:
    with transaction.atomic():
        connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        get_name(group.pk)

    with trace() as seen:
        get_name(group.pk)
    assert len(seen.queries) == 1


def test_a_broken_transaction_may_not_store(group: Group) -> None:
    with transaction.atomic():
        assert transactions.others_see_the_same()
        transaction.set_rollback(True)
        assert not transactions.others_see_the_same()


def test_what_others_invalidate_while_we_compute_is_not_believed(group: Group) -> None:
    """The race that serves the old value until it expires in most caches, forced."""

    @caching.cached(timeout=MINUTE, tags=["group:{pk}"])
    def read_slowly(pk: int) -> str:
        name = Group.objects.get(pk=pk).name
        meanwhile()
        return name

    def nothing() -> None: ...

    def write() -> None:
        rename(group, "new")

    meanwhile: Callable[[], None] = write
    assert read_slowly(group.pk) == "old"  # it began before the change

    meanwhile = nothing
    assert read_slowly(group.pk) == "new"


def test_an_entry_is_not_built_from_what_the_request_saw_before(group: Group) -> None:
    """Inner entry seen, change, outer entry looked up: its stamps are newer than the inner one."""

    @caching.cached(timeout=MINUTE, tags=["group:{pk}"])
    def greet(pk: int) -> str:
        return f"Hello {get_name(pk)}"

    with memo.remembering():
        get_name(group.pk)
        Group.objects.filter(pk=group.pk).update(name="new")
        with memo.suspended():  # another process says so
            caching.changed(group)
        assert greet(group.pk) == "Hello new"

    assert greet(group.pk) == "Hello new"


def test_an_entry_that_hides_a_dependency_is_not_stored(group: Group) -> None:
    @caching.cached(timeout=MINUTE, tags=["groups"])
    def greet_first() -> str:
        return f"Hello {get_name(group.pk)}"

    greet_first()
    greet_first()

    assert counted()[greet_first.name]["undeclared"] == 2
    assert "stores" not in counted()[greet_first.name]


def test_an_object_without_a_key_shows_nowhere() -> None:
    with pytest.raises(ValueError, match="no primary key"):
        caching.changed(Group(name="new"))


def test_a_model_may_name_the_tags_that_show_it(group: Group) -> None:
    class Club(Group):
        class Meta:
            proxy = True
            app_label = "auth"

        def cache_tags(self) -> list[str]:
            return [f"group:{self.pk}", "groups"]

    count_groups()
    Group.objects.create(name="second")

    caching.changed(Club.objects.get(pk=group.pk))

    assert count_groups() == 2


def test_no_tag_is_no_work() -> None:
    with trace() as seen:
        caching.invalidate()
        caching.changed()

    assert seen.lines == []


def test_a_forgotten_change_is_found(group: Group) -> None:
    watch = nothing_is_stale.__wrapped__(None)  # type: ignore[attr-defined]
    next(watch)
    get_name(group.pk)

    Group.objects.update(name="new")

    with pytest.raises(AssertionError, match="get_name"):
        next(watch)


def test_a_change_that_was_told_is_not_found(group: Group, nothing_is_stale: None) -> None:
    get_name(group.pk)

    rename(group, "new")
