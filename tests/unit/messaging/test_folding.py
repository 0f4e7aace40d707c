"""One flush: everything once, poison alone, and nobody else made to wait."""

from __future__ import annotations

import uuid

import msgspec
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.messaging.batches import folding, receipts
from apps.messaging.batches.envelope import encode
from apps.messaging.batches.folding import Parcel
from apps.messaging.models import Producer
from tests.support import batches
from tests.support.batches import Rung, a_message, keep

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_yet():
    batches.folded.clear()


def parcels(*messages):
    unpacked = [folding.unpack(encode(message)) for message in messages]
    return [found[1] for found in unpacked if found]


def fold(*messages):
    folding.fold(keep, parcels(*messages))
    return [name for names in batches.folded for name in names]


# --- Once ----------------------------------------------------------------------------------------
def test_a_message_that_comes_again_is_folded_once():
    fold(a_message("ada", number=1), a_message("ben", number=2))

    assert fold(a_message("ada", number=1), a_message("cyd", number=3)) == ["ada", "ben", "cyd"]


def test_a_message_that_comes_twice_at_once_is_folded_once():
    assert fold(a_message("ada"), a_message("ada")) == ["ada"]


def test_messages_may_come_in_any_order():
    fold(a_message("five", number=5))

    assert fold(a_message("two", number=2), a_message("five", number=5)) == ["five", "two"]


def test_two_producers_have_numbers_of_their_own():
    assert fold(a_message("ada", producer=1), a_message("ben", producer=2)) == ["ada", "ben"]


def test_numbers_without_a_gap_are_one_range():
    for number in (3, 1, 2, 5):
        fold(a_message("ada", number=number))

    row = Producer.objects.get()
    assert [(part.lower, part.upper) for part in row.folded] == [(1, 4), (5, 6)]


def test_a_row_says_who_sends_and_what_was_lost():
    fold(a_message("ada", number=2, dropped=7), a_message("ben", number=1, dropped=3))

    row = Producer.objects.get()
    assert (str(row), row.dropped) == ("host:1", 7)


@given(
    flushes=st.lists(
        st.lists(st.tuples(st.integers(1, 3), st.integers(0, 12)), min_size=1), max_size=8
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_comes_however_often_each_number_is_taken_once(flushes):
    with transaction.atomic():
        taken = []
        for flush in flushes:
            messages = [a_message(producer=producer, number=number) for producer, number in flush]
            taken += [(key.int, number) for key, number in receipts.take(messages)]
        transaction.set_rollback(True)

    assert sorted(taken) == sorted({pair for flush in flushes for pair in flush})


def test_a_handler_that_fails_leaves_no_receipt():
    with transaction.atomic():
        receipts.take([a_message("ada")])
        transaction.set_rollback(True)

    assert fold(a_message("ada")) == ["ada"]


def test_receipts_of_producers_long_silent_are_forgotten():
    fold(a_message("ada", producer=1), a_message("ben", producer=2))
    long_ago = "2020-01-01T00:00Z"
    Producer.objects.filter(pk=uuid.UUID(int=1)).update(seen_at=long_ago)

    assert receipts.prune() == 1
    assert Producer.objects.get().pk == uuid.UUID(int=2)


# --- Poison --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b'{"producer": 1}',
        encode(a_message("ada", number=-1)),
        encode(a_message("ada", number=2**62)),
        encode(a_message("ada", name="x" * 201)),
    ],
)
def test_a_message_that_nobody_can_read_is_dropped_with_a_line(body, caplog):
    assert folding.unpack(body) is None
    assert "dropped" in caplog.text


def test_a_topic_that_this_release_does_not_know_is_no_reason_to_drop_it():
    with pytest.raises(folding.UnknownTopic, match=r"nobody\.knows"):
        folding.unpack(encode(a_message("ada", topic="nobody.knows")))


def test_an_event_that_is_none_is_dropped_alone(caplog):
    good = msgspec.Raw(msgspec.json.encode(Rung("ada")))
    bad = msgspec.Raw(b'{"by": 7}')

    assert fold(a_message(events=[bad, good])) == ["ada"]
    assert "dropped an event of test.rung" in caplog.text


def test_the_message_on_which_the_handler_fails_is_dropped_alone(caplog):
    messages = [a_message(f"{number}", number=number) for number in range(1, 8)]
    messages[4] = a_message("poison", number=5)

    assert sorted(fold(*messages)) == ["1", "2", "3", "4", "6", "7"]
    assert caplog.text.count("the handler failed") == 1


def test_when_the_database_is_to_blame_nothing_is_dropped(monkeypatch):
    def away(events):
        raise OperationalError("gone")

    monkeypatch.setattr(keep, "function", away)
    with pytest.raises(OperationalError):
        fold(a_message("ada"), a_message("ben", number=2))
    monkeypatch.undo()

    assert fold(a_message("ada"), a_message("ben", number=2)) == ["ada", "ben"]


def test_rows_that_break_a_rule_are_the_fault_of_their_message(monkeypatch):
    def refuse(events):
        if any(event.by == "ben" for event in events):
            raise IntegrityError("no")
        batches.folded.append([event.by for event in events])

    monkeypatch.setattr(keep, "function", refuse)

    assert fold(a_message("ada"), a_message("ben", number=2)) == ["ada"]


# --- Manners -------------------------------------------------------------------------------------
def test_a_flush_gives_way_before_the_database_looks_for_a_deadlock(monkeypatch):
    told = []

    def look(events):
        with connection.cursor() as cursor:
            for name in ("lock_timeout", "deadlock_timeout"):
                cursor.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name])
                told.append(cursor.fetchone()[0])

    monkeypatch.setattr(keep, "function", look)
    fold(a_message("ada"))

    lock_timeout, deadlock_timeout = told
    assert 0 < lock_timeout < deadlock_timeout


def test_a_flush_is_two_writes_and_a_limit_however_many_messages_there_are(
    django_assert_num_queries,
):
    those = parcels(*(a_message("ada", number=number) for number in range(1, 101)))

    # The limit, the receipts, and the two ends of the savepoint that stands for the transaction.
    with django_assert_num_queries(4):
        folding.fold(keep, those)


def test_messages_without_events_call_nobody():
    folding.fold(keep, [Parcel(a_message(), [])])

    assert batches.folded == []
