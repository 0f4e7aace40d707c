from __future__ import annotations

import asyncio
import mailbox
from email import message_from_bytes

import pytest
from django.urls import reverse

from apps.mail import rendering, selectors
from tests.support.mail import make_letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.DEBUG = True
    settings.INBOX_DIR = str(tmp_path / "inbox")
    return mailbox.Maildir(settings.INBOX_DIR)


def receive(folder, *, to="ben@example.test", **values):
    """Put a letter where the SMTP server of `make up` puts it."""
    letter = make_letter(to=to, **values)
    letter.refresh_from_db()
    raw = rendering.on_the_wire(rendering.compose(letter), is_utf8=True)
    message = message_from_bytes(raw)
    message["X-RcptTo"] = to
    return folder.add(message)


def read_json(client):
    return client.get(reverse("inbox"), {"format": "json"}).json()["letters"]


def test_letters_are_listed_newest_first(client, folder):
    for number in range(12):
        receive(folder, subject=f"Letter {number}")

    subjects = [letter["subject"] for letter in read_json(client)]

    assert subjects == [f"Letter {number}" for number in reversed(range(12))]


def test_a_letter_in_json_is_what_a_test_needs(client, folder):
    receive(
        folder,
        to="jörg@example.test",
        subject="Grüße",
        text="Hier: http://localhost:8000/confirm/a/.\n",
        html='<a href="http://localhost:8000/confirm/a/">Ja</a>\n',
    )

    (letter,) = read_json(client)

    assert letter == {
        "to": "jörg@example.test",
        "subject": "Grüße",
        "text": "Hier: http://localhost:8000/confirm/a/.\n",
        "html": '<a href="http://localhost:8000/confirm/a/">Ja</a>\n',
        "links": ["http://localhost:8000/confirm/a/"],
    }


def test_an_inbox_that_nobody_wrote_to_is_empty(client, folder, settings):
    settings.INBOX_DIR += "-that-is-not-there"

    assert read_json(client) == []
    assert "No letters yet" in client.get(reverse("inbox")).content.decode()
    assert client.get(reverse("inbox_letter", args=["1"])).status_code == 404


@pytest.mark.parametrize(("debug", "inbox"), [(False, "/somewhere"), (True, "")])
@pytest.mark.parametrize("name", ["inbox", "inbox_letter", "inbox_html"])
def test_there_is_no_inbox_where_letters_reach_people(client, settings, debug, inbox, name):
    settings.DEBUG, settings.INBOX_DIR = debug, inbox
    arguments = [] if name == "inbox" else ["1"]

    assert client.get(reverse(name, args=arguments)).status_code == 404


def test_a_letter_can_be_read(client, folder):
    key = receive(folder, subject="Hello Ben", text="Look: http://localhost/a/\n")

    page = client.get(reverse("inbox_letter", args=[key])).content.decode()

    assert "Hello Ben" in page
    assert '<a href="http://localhost/a/">' in page
    assert f'src="{reverse("inbox_html", args=[key])}"' in page


def test_a_hostile_letter_is_shown_and_can_do_nothing(client, folder):
    evil = "<script>alert(1)</script>"
    key = receive(folder, subject=evil, text=f"{evil}\njavascript:alert(1)\n", html=evil)

    listing = client.get(reverse("inbox"))
    reading = client.get(reverse("inbox_letter", args=[key]))
    framed = client.get(reverse("inbox_html", args=[key]))

    assert evil not in listing.content.decode() + reading.content.decode()
    assert 'sandbox="allow-popups"' in reading.content.decode()
    assert "frame-src 'self'" in reading["Content-Security-Policy"]
    policy = framed["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "frame-ancestors 'self'" in policy
    assert framed["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("key", ["..", "../../etc/passwd", "new", "%2e%2e"])
def test_an_address_is_no_path(folder, key):
    receive(folder)

    assert selectors.find_received(key=key) is None


def test_a_letter_in_a_character_set_that_nobody_knows_is_shown_all_the_same(client, folder):
    folder.add(b"To: ben@example.test\nContent-Type: text/plain; charset=klingon\n\nqapla'\n")

    (letter,) = read_json(client)

    assert (letter["to"], letter["text"]) == ("ben@example.test", "qapla'\n")


@pytest.mark.parametrize(
    ("text", "html", "links"),
    [
        ("", "", []),
        ("see http://a.test/x, or http://b.test.", "", ["http://a.test/x", "http://b.test"]),
        ("http://a.test/ http://a.test/", "", ["http://a.test/"]),
        ("(http://a.test/?a=1&b=2)", "", ["http://a.test/?a=1&b=2"]),
        ("", '<a href="https://a.test/?a=1&amp;b=2">', ["https://a.test/?a=1&b=2"]),
        ("http://b.test", '<a href="http://a.test">', ["http://b.test", "http://a.test"]),
        ("javascript:alert(1)", '<a href="javascript:alert(1)"><a name="x">', []),
    ],
)
def test_links_are_found_in_order_each_once(text, html, links):
    assert selectors.links_of(text, html) == links


def test_the_smtp_server_of_a_development_machine_writes_what_the_inbox_reads(client, folder):
    from aiosmtpd.smtp import Envelope

    from devstack.inbox import Letters

    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos = "noreply@localhost", ["ben@example.test"]
    envelope.content = b"Subject: From the wire\r\n\r\nHello\r\n"
    letters = Letters(folder._path)
    asyncio.run(letters.handle_DATA(None, None, envelope))  # type: ignore[arg-type]

    (letter,) = read_json(client)

    assert (letter["to"], letter["subject"]) == ("ben@example.test", "From the wire")
