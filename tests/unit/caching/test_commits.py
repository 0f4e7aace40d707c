"""What stands around a commit: hooks of others, transactions without a block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from apps import caching
from tests.support.caching import trace

pytestmark = pytest.mark.django_db(transaction=True)


@caching.cached(timeout=timedelta(minutes=1), tags=["group:{pk}"])
def get_name(pk: int) -> str:
    return Group.objects.get(pk=pk).name


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="old")


@contextlib.contextmanager
def without_autocommit() -> Iterator[None]:
    transaction.set_autocommit(False)
    try:
        yield
        transaction.rollback()
    finally:
        connection.rollback()
        transaction.set_autocommit(True)


def test_who_asks_at_commit_is_answered_with_what_was_committed(group: Group) -> None:
    get_name(group.pk)
    answers: list[str] = []

    with transaction.atomic():
        transaction.on_commit(lambda: answers.append(get_name(group.pk)))
        Group.objects.update(name="new")
        caching.changed(group)

    assert answers == ["new"]


def test_a_hook_that_fails_does_not_take_the_invalidation_along(group: Group) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    get_name(group.pk)

    with contextlib.suppress(RuntimeError), transaction.atomic():
        transaction.on_commit(fail)
        Group.objects.update(name="new")
        caching.changed(group)

    assert get_name(group.pk) == "new"


def test_a_savepoint_that_is_rolled_back_takes_only_its_own_hook(group: Group) -> None:
    seen: list[str] = []
    get_name(group.pk)

    with transaction.atomic():
        transaction.on_commit(lambda: seen.append("first"))
        with contextlib.suppress(RuntimeError), transaction.atomic():
            caching.changed(group)
            raise RuntimeError("no")
        transaction.on_commit(lambda: seen.append("second"))

    assert seen == ["first", "second"]
    with trace() as trips:
        get_name(group.pk)
    assert trips.queries == []


def test_without_autocommit_uncommitted_data_is_not_stored(group: Group) -> None:
    with without_autocommit():
        Group.objects.update(name="phantom")
        assert get_name(group.pk) == "phantom"

    assert get_name(group.pk) == "old"


def test_without_autocommit_a_change_must_be_told_in_a_block(group: Group) -> None:
    with without_autocommit(), pytest.raises(transaction.TransactionManagementError):
        caching.changed(group)
