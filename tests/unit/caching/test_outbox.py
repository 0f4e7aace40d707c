"""Invalidations that are written down: by whom, for how long, and who crosses them out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from apps import caching
from apps.caching import engine as engines
from apps.caching import outbox
from apps.caching.engine import engine
from apps.caching.models import Undelivered
from apps.caching.node import Node
from apps.caching.servers import Servers
from apps.caching.sweeping import BATCH, catch_up, sweep, sweep_at_start
from tests.support.caching import Flaky, serving, trace
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timedelta(0)


@pytest.fixture
def stores() -> list[Flaky]:
    return [Flaky("memory://a"), Flaky("memory://b")]


@pytest.fixture(autouse=True)
def servers(stores: list[Flaky]) -> Iterator[Servers]:
    with serving(*stores) as servers:
        yield servers
        servers.close()


class Killed(BaseException):
    """The process ends here: nothing after it happens."""


@contextmanager
def killed_before_the_bump() -> Iterator[None]:
    def die(*_: object, **__: object) -> bool:
        raise Killed

    with patch.object(Node, "bump", die), pytest.raises(Killed):
        yield


def rows() -> list[tuple[list[str], str]]:
    return [(row.tags, row.server) for row in Undelivered.objects.order_by("pk")]


def version(store: Flaky, tag: str) -> bytes | None:
    return store.get([engine().keys.tag(tag)])[0]


def statements(seen: list[str]) -> list[str]:
    return [line for line in seen if "caching_undelivered" in line]


def test_a_change_is_noted_with_it_and_crossed_out_after() -> None:
    with trace() as seen:
        with transaction.atomic():
            caching.invalidate("a", "b")
            assert rows() == [(["a", "b"], "")]
        assert rows() == []

    assert statements(seen.lines)[0] == "INSERT caching_undelivered"
    assert "DELETE caching_undelivered" in seen.lines


def test_tags_that_come_later_are_noted_too_and_only_once() -> None:
    with transaction.atomic():
        caching.invalidate("a")
        caching.invalidate("a")
        caching.invalidate("a", "b")

        assert rows() == [(["a"], ""), (["b"], "")]
    assert rows() == []


def test_a_rollback_leaves_no_note() -> None:
    with transaction.atomic():
        caching.invalidate("a")
        transaction.set_rollback(True)

    assert rows() == []


def test_a_savepoint_takes_its_own_note_along() -> None:
    with transaction.atomic():
        caching.invalidate("a")
        with transaction.atomic():
            caching.invalidate("a", "b")
            transaction.set_rollback(True)

        assert rows() == [(["a"], "")]


def test_what_was_rolled_back_is_noted_when_it_is_said_again(stores: list[Flaky]) -> None:
    with transaction.atomic():
        with transaction.atomic():
            caching.invalidate("a")
            transaction.set_rollback(True)
        caching.invalidate("a")
        assert rows() == [(["a"], "")]

    assert version(stores[0], "a") is not None


def test_a_savepoint_that_names_what_the_outer_one_named_does_nothing() -> None:
    with transaction.atomic():
        caching.invalidate("a")
        with trace() as seen, transaction.atomic():
            caching.invalidate("a")
        assert statements(seen.lines) == []


def test_in_a_transaction_that_is_lost_nothing_is_written() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        caching.invalidate("a")

    assert rows() == []


def test_outside_a_transaction_nothing_is_written_while_the_servers_are_there() -> None:
    with trace() as seen:
        caching.invalidate("a")

    assert statements(seen.lines) == []


def test_outside_a_transaction_the_debt_is_written_down(stores: list[Flaky]) -> None:
    stores[1].away = True

    caching.invalidate("a")

    assert rows() == [(["a"], "memory://b")]


def test_a_row_for_each_server_that_did_not_take_it(stores: list[Flaky]) -> None:
    for store in stores:
        store.away = True

    with transaction.atomic():
        caching.invalidate("a")

    assert rows() == [(["a"], "memory://a"), (["a"], "memory://b")]


def test_the_row_stays_for_the_server_that_is_away_alone(stores: list[Flaky]) -> None:
    stores[0].away = True

    with transaction.atomic():
        caching.invalidate("a")

    assert rows() == [(["a"], "memory://a")]
    assert version(stores[1], "a") is not None


def test_too_many_tags_are_everything(stores: list[Flaky]) -> None:
    many = [f"tag{number}" for number in range(outbox.MANY_TAGS)]
    with transaction.atomic():
        caching.invalidate(*many)
        caching.invalidate("one more")
        assert [len(tags) for tags, _ in rows()] == [outbox.MANY_TAGS, 0]

    assert stores[0].get([engine().keys.epoch]) != [None]
    assert version(stores[0], "tag0") is None


def test_without_durable_nothing_is_written(stores: list[Flaky]) -> None:
    before = engine()
    engines.replace(
        dataclasses.replace(before, options=dataclasses.replace(before.options, durable=False))
    )
    stores[0].away = True
    with trace() as seen:
        with transaction.atomic():
            caching.invalidate("a")
        sweep_at_start()

    assert statements(seen.lines) == []


def test_a_database_that_fails_after_the_commit_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = patch.object(outbox, "_delete", side_effect=DatabaseError("gone"))
    with failing, transaction.atomic():
        caching.invalidate("a")

    assert "could not be written down or crossed out" in caplog.text
    assert rows() == [(["a"], "")]


def test_crossing_out_does_not_wait_for_the_disk() -> None:
    """The log of PostgreSQL has grown and is not on the disk yet when the statement returns."""

    def is_on_disk() -> bool:
        pk = outbox.note(["a"], "default")
        outbox.close(pk, ["a"], [], "default")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
            return bool(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    try:
        # Something else may have brought it to the disk: it does not do so each time.
        assert not all(is_on_disk() for _ in range(20))
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


def test_what_a_killed_writer_left_is_swept(stores: list[Flaky]) -> None:
    with killed_before_the_bump(), transaction.atomic():
        caching.invalidate("a")
    assert rows() == [(["a"], "")]

    assert sweep(grace=NOW) == 1

    assert rows() == []
    assert all(version(store, "a") is not None for store in stores)


def test_a_young_row_is_left_to_its_writer() -> None:
    with killed_before_the_bump(), transaction.atomic():
        caching.invalidate("a")

    assert sweep() == 0
    assert rows() == [(["a"], "")]


def test_a_sweep_with_nothing_to_do_is_one_query() -> None:
    with trace() as seen:
        sweep()

    assert len(seen.queries) == 1
    assert seen.trips == []


def test_many_rows_are_swept_in_batches() -> None:
    Undelivered.objects.bulk_create(Undelivered(tags=["a"]) for _ in range(BATCH + 1))

    assert sweep(grace=NOW) == BATCH + 1
    assert rows() == []


def test_a_row_that_names_no_tag_is_everything(stores: list[Flaky]) -> None:
    Undelivered.objects.create(tags=[])
    Undelivered.objects.create(tags=["a"])

    sweep(grace=NOW)

    assert stores[0].get([engine().keys.epoch]) != [None]


def test_a_sweep_that_meets_a_server_away_leaves_a_row_for_it(stores: list[Flaky]) -> None:
    Undelivered.objects.create(tags=["a"])
    stores[0].away = True

    sweep(grace=NOW)

    assert rows() == [(["a"], "memory://a")]
    assert version(stores[1], "a") is not None


def test_a_server_that_is_back_gets_what_it_missed(stores: list[Flaky]) -> None:
    Undelivered.objects.bulk_create(
        Undelivered(tags=[f"tag{number}"], server="memory://a") for number in range(BATCH + 1)
    )
    stores[0].away = True
    assert sweep() == 0

    stores[0].away = False
    assert sweep() == BATCH + 1

    assert version(stores[0], "tag0") is not None
    assert version(stores[1], "tag0") is None  # it had not missed them
    assert rows() == []


def test_a_server_that_left_the_site_is_owed_nothing() -> None:
    Undelivered.objects.create(tags=["a"], server="memory://gone")

    sweep()

    assert rows() == []


def test_a_server_process_sweeps_before_it_serves(stores: list[Flaky]) -> None:
    with killed_before_the_bump(), transaction.atomic():
        caching.invalidate("a")

    caching.sweep_at_start()

    assert rows() == []
    assert version(stores[0], "a") is not None


def test_a_server_process_starts_without_its_database(caplog: pytest.LogCaptureFixture) -> None:
    with patch("apps.caching.sweeping.sweep", side_effect=DatabaseError("no such table")):
        caching.sweep_at_start()

    assert "could not be delivered" in caplog.text


def lose_sight_of(node: Node, store: Flaky) -> None:
    store.away = True
    while not node.breaker.is_open:
        node.get(["x"])


def test_a_process_that_lost_sight_of_a_server_asks_what_others_owe_it(
    servers: Servers, stores: list[Flaky]
) -> None:
    """Others changed something meanwhile, could not say so, and died."""
    node, store = servers.nodes[0], stores[0]
    node.catch_up = catch_up
    key = engine().keys.tag("a")
    before = node.versions([key])
    lose_sight_of(node, store)
    Undelivered.objects.create(tags=["a"], server=node.name)
    Undelivered.objects.create(tags=["b"])

    store.away = False

    now = wait_until(lambda: node.versions([key]))
    assert now != before
    assert version(store, "b") is not None
    assert rows() == [(["b"], "")]  # its writer may live: the row is left to him


def test_a_server_stays_closed_while_the_database_cannot_tell(
    servers: Servers, stores: list[Flaky], caplog: pytest.LogCaptureFixture
) -> None:
    node, store = servers.nodes[0], stores[0]
    asked: list[Node] = []

    def refuse(node: Node) -> bool:
        asked.append(node)
        raise DatabaseError("gone")

    node.catch_up = refuse
    lose_sight_of(node, store)
    store.away = False

    wait_until(lambda: asked and "stays closed" in caplog.text)
    assert node.get(["x"]) is None

    node.catch_up = lambda _: True
    wait_until(lambda: node.get(["x"]) == [None])


def test_a_payer_crosses_out_what_it_has_paid(servers: Servers, stores: list[Flaky]) -> None:
    servers.nodes[0].catch_up = catch_up
    stores[0].away = True
    with transaction.atomic():
        caching.invalidate("a")
    assert rows() == [(["a"], "memory://a")]

    stores[0].away = False

    wait_until(lambda: not servers.nodes[0].owes)
    assert rows() == []


def test_the_setting_turns_the_outbox_off(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "SERVERS": ["memory://"], "DURABLE": False}
    assert engine().servers.nodes[0].catch_up is None

    settings.CACHING = {**settings.CACHING, "DURABLE": True}
    assert engine().servers.nodes[0].catch_up is not None
