"""One attempt, with a real SMTP server and no worker: what becomes of the letter and its job."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTP

import pytest
from django.db.models import F
from django.utils import timezone

from apps.mail import delivery
from apps.mail.exceptions import Overtaken
from apps.mail.models import Letter
from apps.messaging import Job
from tests.support.mail import make_letter, post_letter
from tests.support.messaging import make_due, run_jobs
from tests.support.smtp import CUT, HANG

pytestmark = pytest.mark.django_db
BEN = "ben@example.test"


def test_a_letter_is_handed_to_the_server(mail_server):
    letter = post_letter()

    (job,) = run_jobs()

    letter.refresh_from_db()
    assert (letter.state, letter.code, letter.attempts) == (Letter.State.SENT, 250, 1)
    assert letter.sent_at is not None
    assert letter.sending_at is not None
    assert letter.sent_at >= letter.sending_at
    assert job.state == Job.State.DONE
    (received,) = mail_server.letters
    assert received.recipients == [BEN]
    assert received.message["Message-ID"] == letter.message_id


def test_a_letter_that_was_sent_is_not_sent_again(mail_server):
    letter = post_letter()
    run_jobs()

    delivery.deliver(letter_id=letter.pk)

    assert len(mail_server.letters) == 1


def test_a_letter_that_was_deleted_is_no_error(mail_server):
    post_letter().delete()

    (job,) = run_jobs()

    assert job.state == Job.State.DONE
    assert mail_server.tried == []


@pytest.mark.parametrize("moment", ["rcpt", "data"])
def test_a_refusal_for_now_waits_and_is_tried_again(mail_server, moment):
    mail_server.answer(BEN, "451 come back later", moment=moment, times=1)
    letter = post_letter()

    (job,) = run_jobs()
    letter.refresh_from_db()
    assert (letter.state, letter.code, letter.reply) == ("waiting", 451, "come back later")
    assert (job.state, job.error) == (Job.State.QUEUED, "451 come back later")

    make_due()
    run_jobs()
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.resent_at) == ("sent", 2, None)
    assert len(mail_server.letters) == 1


def test_each_wait_is_longer_than_the_one_before(mail_server):
    mail_server.answer(BEN, "451 come back later")
    post_letter()

    waits = []
    for _ in range(8):
        (job,) = run_jobs()
        waits.append((job.due_at - timezone.now()).total_seconds())
        make_due()

    assert waits == sorted(waits)
    assert 7 <= waits[0] <= 15
    assert waits[7] >= 15 * 2**6 - 1


def test_after_two_days_a_letter_is_given_up(mail_server):
    mail_server.answer(BEN, "451 come back later")
    letter = post_letter()
    Job.objects.update(tried_since=F("tried_since") - timedelta(days=2))

    (job,) = run_jobs()

    letter.refresh_from_db()
    assert job.state == Job.State.DEAD
    assert (letter.state, letter.reply) == ("dead", "Out of tries: 451 come back later")


@pytest.mark.parametrize("moment", ["rcpt", "data"])
def test_a_refusal_for_good_is_an_outcome(mail_server, moment):
    mail_server.answer(BEN, "550 nobody of that name", moment=moment)
    letter = post_letter()

    (job,) = run_jobs()

    letter.refresh_from_db()
    assert (letter.state, letter.code, letter.reply) == ("refused", 550, "nobody of that name")
    assert job.state == Job.State.DONE
    assert mail_server.tried == [BEN]


def test_without_a_server_a_letter_waits(settings, smtp_server):
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": smtp_server.port}
    smtp_server.stop()
    letter = post_letter()

    (job,) = run_jobs()

    letter.refresh_from_db()
    assert (letter.state, letter.code, job.state) == ("waiting", None, "queued")
    assert "refused" in letter.reply.lower()


def test_a_server_that_hangs_before_the_letter_is_waited_for_only_so_long(mail_server, settings):
    settings.MAIL_SERVER = {**settings.MAIL_SERVER, "timeout": 1}
    mail_server.answer(BEN, HANG)
    letter = post_letter()

    run_jobs()

    letter.refresh_from_db()
    assert letter.state == "waiting"


def test_a_wrong_password_of_ours_is_not_the_reader_s_refusal(mail_server, settings):
    settings.MAIL_SERVER = {**settings.MAIL_SERVER, "username": "us", "password": "wrong"}
    letter = post_letter()

    (job,) = run_jobs()

    letter.refresh_from_db()
    assert (letter.state, job.state) == ("waiting", "queued")


@pytest.mark.parametrize("how", [CUT, HANG])
def test_a_letter_without_an_answer_is_sent_once_more_and_marked(mail_server, settings, how):
    settings.EMAIL_ANSWER_TIMEOUT = 1
    mail_server.answer(BEN, how, moment="data", times=1)
    letter = post_letter()

    run_jobs()
    letter.refresh_from_db()
    assert (letter.state, letter.resent_at) == ("sending", None)

    make_due()
    run_jobs()
    letter.refresh_from_db()
    assert letter.state == "sent"
    assert letter.resent_at is not None
    first, second = mail_server.letters
    assert first.message["Message-ID"] == second.message["Message-ID"] == letter.message_id


def test_a_letter_is_never_sent_a_third_time(mail_server):
    mail_server.answer(BEN, CUT, moment="data")
    letter = post_letter()

    for _ in range(4):
        run_jobs()
        make_due()

    letter.refresh_from_db()
    assert letter.state == "dead"
    assert "it may have arrived" in letter.reply
    assert len(mail_server.letters) == 2
    assert Job.objects.get().state == Job.State.DEAD


@pytest.mark.parametrize("how_far", [delivery._begin, lambda pk: delivery.deliver(letter_id=pk)])
def test_an_attempt_that_was_overtaken_does_not_end_its_letter(mail_server, how_far):
    letter = make_letter()
    slow = delivery._begin(letter.pk)
    assert slow is not None
    how_far(letter.pk)
    arrived = len(mail_server.letters)

    with SMTP("127.0.0.1", mail_server.port) as smtp:
        smtp.ehlo()
        with pytest.raises(Overtaken):
            delivery._hand_over(smtp, slow)
        smtp.close()

    assert len(mail_server.letters) == arrived


def test_a_name_outside_of_ascii_reaches_a_server_that_knows_it(mail_server):
    letter = post_letter(to="jörg@müller.example")

    run_jobs()

    letter.refresh_from_db()
    assert letter.state == "sent"
    assert mail_server.letters[0].recipients == ["jörg@xn--mller-kva.example"]


def test_lines_of_dots_arrive_as_they_were_written(mail_server):
    post_letter(text=".\n..\nend\n", html="")

    run_jobs()

    assert mail_server.letters[0].message.get_content() == ".\r\n..\r\nend\r\n"


def test_a_dead_job_takes_no_letter_back_that_was_sent():
    letter = make_letter(state="sent", sent_at=timezone.now())

    delivery.give_up(Job(arguments={"letter_id": letter.pk}, error="poison"))

    letter.refresh_from_db()
    assert letter.state == "sent"
