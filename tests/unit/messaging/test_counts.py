"""Many counts in one write, by several workers at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from apps import messaging
from apps.messaging.batches import folding, receipts
from apps.messaging.models import Producer
from apps.photos.models import Photo, PhotoViews
from apps.photos.tasks import PhotoViewed, count_views
from tests.support.batches import DAY, a_message
from tests.support.photos import make_photo
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = [DAY + timedelta(days=number) for number in range(400)]
ROUNDS = 15


def add(counts):
    messaging.add_counts(PhotoViews, counts, by=("photo", "day"))


def rows():
    return {(row.photo_id, row.day): row.count for row in PhotoViews.objects.all()}


def in_two_threads(one, other):
    """Run both at once, again and again; raise what one of them raised."""
    barrier = threading.Barrier(2, timeout=60)

    def run(work):
        try:
            for _ in range(ROUNDS):
                barrier.wait()
                work()
        except BaseException:
            barrier.abort()
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run, one), pool.submit(run, other)]:
            future.result()


def somebody_waits_for_us():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0]


def test_counts_are_added_to_rows_and_make_those_that_are_missing():
    photo = make_photo()
    add({(photo.pk, DAYS[0]): 2})

    add({(photo.pk, DAYS[0]): 3, (photo.pk, DAYS[1]): 1})

    assert rows() == {(photo.pk, DAYS[0]): 5, (photo.pk, DAYS[1]): 1}


def test_nothing_to_add_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        add({})


def test_a_thousand_counts_are_one_statement(django_assert_num_queries):
    photo = make_photo()
    counts = {(photo.pk, DAY + timedelta(days=number)): 1 for number in range(1000)}

    with django_assert_num_queries(1):
        add(counts)

    assert PhotoViews.objects.count() == 1000


def test_writers_with_the_same_keys_in_opposite_orders_never_lock_each_other_out():
    photo = make_photo()
    counts = {(photo.pk, day): 1 for day in DAYS}
    backwards = dict(reversed(counts.items()))

    in_two_threads(lambda: add(counts), lambda: add(backwards))

    assert rows() == dict.fromkeys(counts, 2 * ROUNDS)


def test_workers_with_the_same_producers_in_opposite_orders_never_lock_each_other_out():
    messages = [a_message(producer=producer) for producer in range(1, 400)]

    in_two_threads(lambda: receipts.take(messages), lambda: receipts.take(list(reversed(messages))))

    assert Producer.objects.count() == len(messages)


def test_two_workers_with_one_message_of_a_new_producer_fold_it_once():
    message = a_message()
    answers = []

    def take():
        answers.append(receipts.take([message]))
        connection.close()

    other = threading.Thread(target=take)
    with transaction.atomic():
        first = receipts.take([message])
        other.start()
        # It has read nothing yet: it waits for the row that is not committed.
        wait_until(somebody_waits_for_us)
    other.join(60)

    assert first == {(message.producer, message.number)}
    assert answers == [set()]


def fold_a_view(photo, number=1):
    parcel = folding.Parcel(a_message(number=number), [PhotoViewed(photo_id=photo.pk, day=DAY)])
    folding.fold(count_views, [parcel])


def in_a_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).exception()


def test_a_flush_that_must_wait_for_a_row_gives_way_and_comes_back():
    photo = make_photo()
    fold_a_view(photo)

    with transaction.atomic():
        PhotoViews.objects.filter(photo=photo).update(count=10)
        error = in_a_thread(lambda: fold_a_view(photo, number=2))
    fold_a_view(photo, number=2)

    assert isinstance(error, OperationalError)
    assert rows() == {(photo.pk, DAY): 11}


def test_a_photo_that_is_being_deleted_is_waited_for_and_its_views_go_with_it():
    photo, other = make_photo(), make_photo()
    fold_a_view(photo)
    photo_id = photo.pk
    done = []

    def count():
        add({(photo_id, DAYS[1]): 1, (other.pk, DAY): 1})
        done.append(True)
        connection.close()

    thread = threading.Thread(target=count)
    with transaction.atomic():
        list(Photo.objects.select_for_update().filter(pk=photo_id))
        photo.delete()
        thread.start()
        wait_until(somebody_waits_for_us)
    thread.join(60)

    assert done == [True]
    assert rows() == {(other.pk, DAY): 1}
    assert not PhotoViews.objects.filter(photo_id=photo_id).exists()
