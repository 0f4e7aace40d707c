from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from apps.mail import rendering
from tests.support.mail import make_letter

pytestmark = pytest.mark.django_db


def on_the_wire(letter, *, is_utf8=False):
    letter.refresh_from_db()
    return rendering.on_the_wire(rendering.compose(letter), is_utf8=is_utf8)


def read(raw):
    return message_from_bytes(raw, policy=policy.default)


def test_a_letter_has_the_headers_of_an_honest_machine(settings):
    settings.DEFAULT_FROM_EMAIL = "Schärfe & Licht <noreply@photos.example.test>"
    letter = make_letter(to="ben@example.test", subject="Grüße, Ben")

    message = read(on_the_wire(letter))

    assert message["From"] == "Schärfe & Licht <noreply@photos.example.test>"
    assert message["To"] == "ben@example.test"
    assert message["Subject"] == "Grüße, Ben"
    assert message["Message-ID"] == letter.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == letter.created_at.replace(microsecond=0)
    assert message["Content-Language"] == "en"


def test_a_letter_is_text_first_and_html_beside_it():
    letter = make_letter(text="Grüße.\n", html="<p>Grüße.</p>\n")

    message = read(on_the_wire(letter))

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.get_body(("plain",)).get_content() == "Grüße.\r\n"
    assert message.get_body(("html",)).get_content() == "<p>Grüße.</p>\r\n"


def test_a_letter_without_html_is_plain_text():
    message = read(on_the_wire(make_letter(html="")))

    assert message.get_content_type() == "text/plain"


def test_the_same_letter_is_the_same_message_each_time_but_for_the_boundary():
    letter = make_letter(html="")

    assert on_the_wire(letter) == on_the_wire(letter)


def test_it_is_seven_bits_in_lines_that_any_server_takes():
    letter = make_letter(text="ü" * 5000 + "\n", subject="ü" * 200)

    raw = on_the_wire(letter)

    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.endswith(b"\r\n")


def test_a_line_that_is_a_dot_does_not_end_the_letter():
    raw = on_the_wire(make_letter(text="one\n.\n.two\n", html=""))

    assert b"\r\n.\r\n" not in raw
    assert b"\r\n..\r\n..two\r\n" in raw


def test_a_line_break_in_a_subject_is_refused_rather_than_sent():
    letter = make_letter(subject="Hello\r\nBcc: eve@example.test")

    with pytest.raises(ValueError, match="linefeed"):
        on_the_wire(letter)


def test_a_domain_of_any_script_travels_as_ascii():
    assert rendering.envelope("ben@müller.example") == "ben@xn--mller-kva.example"
    assert b"ben@xn--mller-kva.example" in on_the_wire(make_letter(to="ben@müller.example"))


def test_a_name_of_any_script_travels_as_utf8_where_the_server_knows_it():
    raw = on_the_wire(make_letter(to="jörg@example.test"), is_utf8=True)

    assert "To: jörg@example.test\r\n".encode() in raw
