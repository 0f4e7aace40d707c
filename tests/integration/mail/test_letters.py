"""Letters, a real SMTP server and real mail workers: none is lost, and none doubled but for the
one window that SMTP leaves open, and then it is marked.
"""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from apps.mail.models import Letter
from tests.support.mail import make_letter, post_letter
from tests.support.messaging import make_due
from tests.support.smtp import CUT, HANG
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
BEN = "ben@example.test"


def states():
    return sorted(Letter.objects.values_list("state", flat=True))


def waiting_for_locks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone()[0]


def stop_waiting_for_locks():
    """End what a killed process asked for: PostgreSQL would else do it once it gets the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )


def due_until(condition):
    """Move the clock over every wait until the condition holds."""

    def moved():
        make_due()
        return condition()

    wait_until(moved, seconds=30)


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_every_letter_arrives_once(mail_worker, smtp_server, pool):
    mail_worker(pool=pool, concurrency=4)

    with transaction.atomic():
        for number in range(30):
            post_letter(to=f"person{number}@example.test")
        assert smtp_server.tried == []
    wait_until(lambda: states() == ["sent"] * 30)

    addresses = [letter.recipients[0] for letter in smtp_server.letters]
    assert sorted(addresses) == sorted(f"person{number}@example.test" for number in range(30))


def test_two_workers_on_one_letter_send_it_once(mail_worker, smtp_server):
    from apps.messaging import Job, bell

    mail_worker()
    mail_worker()
    for number in range(10):
        post_letter(to=f"person{number}@example.test")
    for job in Job.objects.all():
        bell.ring(job)
        bell.ring(job)
    wait_until(lambda: states() == ["sent"] * 10)

    assert len(smtp_server.letters) == 10


def test_a_worker_killed_before_the_letter_went_over_costs_nothing(mail_worker, smtp_server):
    smtp_server.answer(BEN, HANG)
    first = mail_worker()
    letter = post_letter(to=BEN)
    wait_until(lambda: smtp_server.tried == [BEN])

    first.kill()
    smtp_server.accept(BEN)
    mail_worker()
    wait_until(lambda: states() == ["sent"])

    letter.refresh_from_db()
    assert len(smtp_server.to(BEN)) == 1
    assert (letter.attempts, letter.resent_at) == (2, None)


def test_a_worker_killed_before_the_final_dot_costs_nothing(mail_worker, smtp_server):
    gate = smtp_server.hold(BEN)
    first = mail_worker()
    letter = post_letter(to=BEN)
    wait_until(lambda: smtp_server.tried == [BEN])

    # The mark waits for our lock: by then the letter is over the line, but for its final dot.
    with transaction.atomic():
        Letter.objects.select_for_update().get(pk=letter.pk)
        gate.set()
        wait_until(lambda: waiting_for_locks() == 1)
        first.kill()
        stop_waiting_for_locks()
    mail_worker()
    wait_until(lambda: states() == ["sent"])

    letter.refresh_from_db()
    assert len(smtp_server.to(BEN)) == 1
    assert (letter.attempts, letter.resent_at) == (2, None)


def test_a_worker_killed_before_the_answer_sends_once_more_and_says_so(mail_worker, smtp_server):
    smtp_server.answer(BEN, HANG, moment="data", times=1)
    first = mail_worker()
    letter = post_letter(to=BEN)
    wait_until(lambda: len(smtp_server.letters) == 1)

    first.kill()
    letter.refresh_from_db()
    assert letter.state == "sending"
    mail_worker()
    wait_until(lambda: states() == ["sent"])

    letter.refresh_from_db()
    one, other = smtp_server.to(BEN)
    assert one.message["Message-ID"] == other.message["Message-ID"] == letter.message_id
    assert letter.resent_at is not None


def test_a_worker_killed_twice_before_the_answer_sends_no_third_letter(mail_worker, smtp_server):
    smtp_server.answer(BEN, HANG, moment="data")
    letter = post_letter(to=BEN)
    for number in (1, 2):
        worker = mail_worker()
        wait_until(lambda: len(smtp_server.letters) == number)  # noqa: B023
        worker.kill()
    mail_worker()
    wait_until(lambda: states() == ["dead"])

    letter.refresh_from_db()
    assert len(smtp_server.to(BEN)) == 2
    assert "it may have arrived" in letter.reply


def test_a_refusal_for_now_ends_in_a_letter_when_the_clock_moves(mail_worker, smtp_server):
    smtp_server.answer(BEN, "451 greylisted", times=2)
    mail_worker()
    post_letter(to=BEN)
    wait_until(lambda: states() == ["waiting"])
    assert smtp_server.tried == [BEN]

    due_until(lambda: states() == ["sent"])

    assert smtp_server.tried == [BEN] * 3
    assert len(smtp_server.to(BEN)) == 1


def test_a_refusal_for_good_stops_one_letter_and_no_other(mail_worker, smtp_server):
    smtp_server.answer(BEN, "550 nobody of that name")
    mail_worker()
    refused, other = post_letter(to=BEN), post_letter(to="cyd@example.test")
    wait_until(lambda: states() == ["refused", "sent"])

    refused.refresh_from_db()
    other.refresh_from_db()
    assert (refused.state, refused.code) == ("refused", 550)
    assert other.state == "sent"


def test_a_server_that_is_away_gets_its_letters_when_it_is_back(mail_worker, smtp_server):
    smtp_server.stop()
    mail_worker()
    for number in range(5):
        post_letter(to=f"person{number}@example.test")
    wait_until(lambda: states() == ["waiting"] * 5)

    smtp_server.start()
    due_until(lambda: states() == ["sent"] * 5)

    assert len(smtp_server.letters) == 5


def test_a_line_that_is_cut_after_the_letter_means_one_more_and_a_mark(mail_worker, smtp_server):
    smtp_server.answer(BEN, CUT, moment="data", times=1)
    mail_worker()
    letter = post_letter(to=BEN)
    wait_until(lambda: states() == ["sending"] and smtp_server.letters)

    due_until(lambda: states() == ["sent"])

    letter.refresh_from_db()
    assert len(smtp_server.to(BEN)) == 2
    assert letter.resent_at is not None


def test_one_server_that_hangs_does_not_stop_the_letters_to_others(mail_worker, smtp_server):
    smtp_server.answer(BEN, HANG)
    mail_worker(concurrency=2)
    post_letter(to=BEN)
    for number in range(5):
        post_letter(to=f"person{number}@example.test")

    wait_until(lambda: states().count("sent") == 5)

    assert Letter.objects.get(to=BEN).state == "queued"


def test_a_worker_that_is_asked_to_stop_ends_its_letter(mail_worker, smtp_server):
    smtp_server.answer(BEN, HANG, times=1)
    worker = mail_worker(EMAIL_TIMEOUT="2")
    post_letter(to=BEN)
    wait_until(lambda: smtp_server.tried == [BEN])

    worker.ask_to_stop()
    worker.wait_dead(20)

    assert states() == ["waiting"]


def test_a_letter_that_nobody_started_is_not_delivered(mail_worker, smtp_server):
    # Shows that the tests above can fail: without its job a row is only a row.
    mail_worker()
    make_letter(to=BEN)
    post_letter(to="cyd@example.test")

    wait_until(lambda: states() == ["queued", "sent"])

    assert smtp_server.to(BEN) == []
