"""The fixture that finds what a cached function reads and no tag names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from apps import caching
from tests.support.dependencies import (
    Waiver,
    Watcher,
    Write,
    names_its_rows,
    nothing_is_undeclared,
    writes_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@caching.cached(timeout=MINUTE, tags=["group:{pk}"])
def get_name(pk: int) -> str:
    return Group.objects.values_list("name", flat=True).get(pk=pk)


@caching.cached(timeout=MINUTE, tags=["groups"])
def count_groups() -> int:
    return Group.objects.count()


def _names(pks: Sequence[int]) -> dict[int, str]:
    return dict(Group.objects.filter(pk__in=pks).values_list("pk", "name"))


@caching.cached(timeout=MINUTE, tags=["group:{pk}"], bulk=_names)
def get_name_of_many(pk: int) -> str:
    return _names([pk])[pk]


def watched(*waivers: Waiver, tag: str | None, sql: str | None = None) -> list[str]:
    """Compute both, write in a transaction, invalidate one tag; what the fixture would say."""
    group, watcher = Group.objects.create(name="old"), Watcher(*waivers)
    with watcher.watching():
        get_name(group.pk)
        count_groups()
        with transaction.atomic():
            if sql is not None:
                with connection.cursor() as cursor:
                    cursor.execute(sql)
            else:
                Group.objects.filter(pk=group.pk).update(name="new")
            if tag is not None:
                caching.invalidate(tag)
    return watcher.undeclared()


def test_a_write_that_says_nothing_is_found() -> None:
    (line,) = [line for line in watched(tag=None) if "get_name" in line]

    assert "get_name reads auth_group under ['group']" in line
    assert 'UPDATE "auth_group" SET "name"' in line


def test_a_write_that_says_something_else_is_found() -> None:
    assert any("get_name" in line for line in watched(tag="groups"))


def test_a_write_that_names_a_tag_of_that_kind_is_none() -> None:
    assert not any("get_name" in line for line in watched(tag="group:7"))


def test_a_row_that_comes_concerns_lists_and_no_row_that_is_named() -> None:
    (line,) = watched(tag=None, sql="INSERT INTO auth_group (name) VALUES ('another')")

    assert "count_groups" in line


def test_raw_sql_that_says_so_is_none() -> None:
    assert not watched(tag="groups", sql="DELETE FROM auth_group WHERE name = 'nobody'")


def test_a_write_of_no_rows_is_none() -> None:
    assert not watched(tag=None, sql="UPDATE auth_group SET name = 'new' WHERE name = 'nobody'")


def test_what_was_computed_together_has_the_tags_of_each() -> None:
    groups = [Group.objects.create(name=f"{number}") for number in range(2)]
    watcher = Watcher()
    with watcher.watching():
        get_name_of_many.many([(group.pk,) for group in groups])
        with transaction.atomic():
            Group.objects.filter(pk=groups[0].pk).update(name="new")
            caching.changed(groups[0])

    assert watcher.undeclared() == []


def test_a_write_that_is_waived_is_excused_and_no_other() -> None:
    waiver = Waiver("UPDATE", "auth_group", because="nobody sees it")

    assert watched(waiver, tag=None) == []
    assert not waiver.excuses(Write("DELETE", "auth_group", frozenset(), ""))
    assert not waiver.excuses(Write("UPDATE", "auth_user", frozenset({"name"}), ""))


def test_a_waiver_of_columns_excuses_no_write_of_others() -> None:
    waiver = Waiver("UPDATE", "a", because="nobody sees it", columns=frozenset({"x", "y"}))

    assert waiver.excuses(Write("UPDATE", "a", frozenset({"x"}), ""))
    assert not waiver.excuses(Write("UPDATE", "a", frozenset({"x", "z"}), ""))


def test_a_waiver_gives_its_reason() -> None:
    with pytest.raises(ValueError, match="says why"):
        Waiver("UPDATE", "auth_group", because=" ")


@pytest.mark.waived("DELETE", "auth_group", because="nobody does")
def test_a_waiver_that_excuses_nothing_is_an_error(request: pytest.FixtureRequest) -> None:
    watch = nothing_is_undeclared.__wrapped__(None, request)  # type: ignore[attr-defined]
    next(watch)

    with pytest.raises(AssertionError, match="nothing to excuse"):
        next(watch)


def test_what_is_rolled_back_was_not_written() -> None:
    watcher = Watcher()
    with watcher.watching():
        count_groups()
        with transaction.atomic():
            Group.objects.create(name="never")
            transaction.set_rollback(True)

    assert watcher.undeclared() == []


def test_a_tag_of_the_transaction_before_does_not_count() -> None:
    watcher = Watcher()
    with watcher.watching():
        count_groups()
        with transaction.atomic():
            caching.invalidate("groups")
        with transaction.atomic():
            Group.objects.create(name="quiet")

    assert len(watcher.undeclared()) == 1


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ('UPDATE "a" SET "x" = 1, "y" = 2 WHERE "z" = 3', [("UPDATE", "a", {"x", "y"})]),
        ("WITH gone AS (DELETE FROM a RETURNING *) SELECT 1 FROM gone", [("DELETE", "a", set())]),
        ('SELECT "a"."x" FROM "a" FOR UPDATE', []),
        ('SELECT 1 FROM "a" FOR NO KEY UPDATE OF "a"', []),
        ("TRUNCATE a", [("TRUNCATE", "a", set())]),
        (
            'INSERT INTO "a" ("x") VALUES (1) ON CONFLICT ("x") DO UPDATE SET "x" = 2',
            [("INSERT", "a", {"x"})],
        ),
    ],
)
def test_statements_are_read_for_what_they_write(
    sql: str, written: list[tuple[str, str, set[str]]]
) -> None:
    assert [(one.verb, one.table, set(one.columns)) for one in writes_of(sql)] == written


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ('SELECT 1 FROM "a" WHERE "a"."id" = 3', True),
        ('SELECT 1 FROM "a" WHERE "a"."id" IN (3, 4)', True),
        ('SELECT 1 FROM "b" INNER JOIN "a" ON ("b"."a_id" = "a"."id")', True),
        ('SELECT 1 FROM "a" WHERE "a"."x" = 3', False),
        ('SELECT 1 FROM "a"', False),
    ],
)
def test_a_read_names_its_rows_or_goes_through_all(sql: str, *, named: bool) -> None:
    assert names_its_rows(sql, "a") is named
