from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.mail import tasks
from apps.mail.models import Letter
from apps.mail.services import send_again, write_letter
from apps.messaging import Job
from tests.support.mail import make_letter

pytestmark = pytest.mark.django_db


def write(**values):
    return write_letter(
        **{
            "to": "ben@example.test",
            "template": "hello",
            "context": {"name": "Ben"},
            "language": "en",
            **values,
        }
    )


def test_a_letter_is_a_row_with_its_words(hello, settings):
    letter = Letter.objects.get(pk=write().pk)

    assert letter.subject == "Hello Ben"
    assert letter.text.startswith(f"Hello Ben, welcome to {settings.SITE_NAME}.")
    assert "<p>Hello Ben</p>" in letter.html
    assert (letter.state, letter.kind, letter.language) == (Letter.State.QUEUED, "hello", "en")


def test_its_delivery_is_queued_in_the_same_transaction(hello):
    letter = write()

    job = Job.objects.get()
    assert (job.queue, job.task, job.arguments) == (
        "mail",
        "mail.deliver_letter",
        {"letter_id": letter.pk},
    )


def test_a_letter_of_a_transaction_that_fails_was_never_written(hello):
    with transaction.atomic():
        write()
        transaction.set_rollback(True)

    assert not Letter.objects.exists()
    assert not Job.objects.exists()


def test_a_name_cannot_break_out_of_the_subject(hello):
    letter = write(context={"name": "Ben\r\nBcc: everybody@example.test"})

    assert letter.subject == "Hello Ben Bcc: everybody@example.test"


def test_names_are_escaped_in_html_and_nowhere_else(hello):
    letter = write(context={"name": "<Ben & Co>"})

    assert "Hello <Ben & Co>, welcome" in letter.text
    assert letter.subject == "Hello <Ben & Co>"
    assert "<p>Hello &lt;Ben &amp; Co&gt;</p>" in letter.html


def test_the_button_is_there_when_it_leads_somewhere(hello):
    address = "https://photos.example.test/confirm/abc/"

    with_button = write(context={"name": "Ben", "button_url": address})
    without = write()

    assert with_button.html.count(f'href="{address}"') == 2
    assert address in with_button.text
    assert "Go on" not in without.html


def test_the_message_id_is_our_host_and_unique(hello, settings):
    settings.SITE_URL = "https://photos.example.test"

    one, other = write(), write()

    assert one.message_id == f"<{one.uuid}@photos.example.test>"
    assert one.message_id != other.message_id


def test_an_unknown_language_becomes_the_site_s(hello):
    assert write(language="tlh").language == "en"
    assert write(language="").language == "en"


def test_a_letter_knows_what_it_is_about(hello):
    first = make_letter()

    assert write(about=first).about == f"mail.letter:{first.pk}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ben",
        "@example.test",
        "ben@",
        "ben@example.test\r\nRCPT TO:<eve@example.test>",
        "ben eve@example.test",
        "<ben@example.test>",
        "ben@exa mple.test",
        "ben@-example.test",
        "a" * 65 + "@example.test",
        "ben@" + "ä" * 64 + ".test",
    ],
)
def test_what_cannot_be_put_on_an_envelope_is_refused(hello, address):
    with pytest.raises(ValidationError):
        write(to=address)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "address", ["jörg@müller.example", "用户@例え.テスト", "o'neil+x@example.test"]
)
def test_addresses_of_any_script_are_taken(hello, address):
    assert write(to=address).to == address


@pytest.mark.parametrize(
    ("state", "is_queued"),
    [("refused", True), ("dead", True), ("waiting", True), ("queued", False), ("sending", False)],
)
def test_what_is_stuck_can_be_sent_again(state, is_queued):
    letter = make_letter(state=state)

    queued = send_again(letters=[letter])

    letter.refresh_from_db()
    assert queued == Job.objects.count() == (1 if is_queued else 0)
    assert letter.state == ("queued" if is_queued else state)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_letter_that_waits_gets_no_second_job(state):
    """Two jobs could each wait for the answer to the letter: it would arrive twice."""
    letter = make_letter(state="waiting")
    job = tasks.deliver_letter.delay(letter_id=letter.pk)
    later = timezone.now() + timedelta(hours=2)
    Job.objects.filter(pk=job.pk).update(state=state, due_at=later, lease_until=later)

    assert send_again(letters=[letter]) == 1

    assert Job.objects.get().due_at <= timezone.now()
