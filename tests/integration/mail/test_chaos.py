"""Letters, while mail workers are killed at random: the SMTP server's own books are the proof."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from apps.mail.models import Letter
from apps.messaging import Job
from tests.support.mail import post_letter
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
LETTERS, KILLS = 120, 4


def sent():
    return Letter.objects.filter(state="sent").count()


def test_no_letter_is_lost_and_each_double_is_marked(mail_worker, smtp_server):
    for number in range(LETTERS):
        post_letter(to=f"person{number}@example.test")

    for kill in range(1, KILLS + 1):
        worker = mail_worker(concurrency=4)
        enough = random.randrange(kill * 10, kill * 25)  # noqa: S311
        wait_until(lambda: sent() >= enough, seconds=40)  # noqa: B023
        worker.kill()
    mail_worker(concurrency=4)
    wait_until(lambda: sent() == LETTERS, seconds=60)

    copies = Counter(letter.message["Message-ID"] for letter in smtp_server.letters)
    doubled = {message_id for message_id, count in copies.items() if count > 1}
    marked = set(
        Letter.objects.filter(resent_at__isnull=False).values_list("message_id", flat=True)
    )
    assert len(copies) == LETTERS
    assert max(copies.values()) <= 2
    assert doubled <= marked
    assert not Job.objects.exclude(state="done").exists()
