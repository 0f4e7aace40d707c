"""What the letters about accounts say, to whom, and where their buttons lead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from apps.accounts import rendering, services
from apps.accounts.models import User
from apps.mail.models import Letter
from tests.support.accounts import PASSWORD, letter_to, link_in, make_user
from tests.support.messaging import run_jobs

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
]
TEMPTING = '<a href="https://evil.example">Win</a>'
FACTS = {"timestamp": timezone.now(), "ip": "198.51.100.7", "user_agent": "Mosaic & Co"}


def address_of(person: User) -> EmailAddress:
    return EmailAddress.objects.get(user=person)


def tell(template: str, person: User) -> None:
    context = {**FACTS, "to_email": "new@example.org"}
    rendering.tell_of_change(template, to=person.email, context=context)


LETTERS: dict[str, Callable[[User], None]] = {
    "confirm_address": lambda person: rendering.ask_to_confirm(address_of(person)),
    "confirm_change": lambda person: rendering.ask_to_confirm_change(address_of(person)),
    "account_exists": rendering.tell_owner_of_sign_up,
    "address_claimed": rendering.tell_owner_of_change,
    "new_password": rendering.offer_new_password,
    "password_changed": lambda person: tell("password_changed", person),
    "address_changed": lambda person: tell("address_changed", person),
}
BUTTONS = {
    "confirm_address": "/accounts/confirm-email/",
    "confirm_change": "/accounts/confirm-email/",
    "account_exists": "/accounts/password/reset/key/",
    "new_password": "/accounts/password/reset/key/",
    "password_changed": "/accounts/password/reset/",
}


def write(kind: str, **person: Any) -> Letter:
    LETTERS[kind](make_user("ada", **person))
    return Letter.objects.get()


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_has_all_its_parts(kind: str) -> None:
    letter = write(kind)

    assert (letter.kind, letter.to) == (kind, "ada@example.org")
    assert "Safelight" in letter.subject
    assert "Hello ada," in letter.text
    assert "<h1" in letter.html
    assert letter.about == f"accounts.user:{User.objects.get().pk}"
    for words in (letter.subject, letter.text, letter.html):
        assert "{%" not in words
        assert "None" not in words


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_has_one_button_at_most(kind: str) -> None:
    letter = write(kind)

    links = set(re.findall(r'href="(http[^"]+)"', letter.html)) - {"http://localhost:8000"}
    if kind not in BUTTONS:
        assert links == set()
        return
    assert link_in(letter).startswith(BUTTONS[kind])
    assert links == {f"http://localhost:8000{link_in(letter)}"}


# That one goes to an address that may be anybody's, so it says the user name only.
@pytest.mark.parametrize("kind", sorted(LETTERS.keys() - {"confirm_change"}))
def test_a_name_is_text_and_not_markup(kind: str) -> None:
    letter = write(kind, display_name=TEMPTING)

    assert TEMPTING not in letter.html
    assert "&lt;a href=" in letter.html
    assert TEMPTING in letter.text


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_speaks_the_language_of_its_reader(kind: str, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]

    with translation.override("en"):
        letter = write(kind, language="de")

    assert letter.language == "de"
    assert '<html lang="de"' in letter.html


@pytest.mark.parametrize("kind", ["password_changed", "address_changed"])
def test_a_warning_says_when_and_from_where(kind: str) -> None:
    letter = write(kind)

    assert "198.51.100.7" in letter.text
    assert "Mosaic & Co" in letter.text
    assert "Mosaic &amp; Co" in letter.html


def test_links_lead_to_this_site_whatever_the_request_claims(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://photos.example.org"
    fields = {"username": "ada", "email": "ada@example.org"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}

    Client(headers={"host": "evil.example"}).post("/accounts/signup/", fields | passwords)
    Client(headers={"host": "evil.example"}).post("/accounts/password/reset/", fields)
    run_jobs(queue="default")

    letters = Letter.objects.all()
    assert len(letters) == 2
    for letter in letters:
        assert "evil" not in letter.text + letter.html
        assert "https://photos.example.org/accounts/" in letter.text


def test_nothing_leaves_past_the_mail_app(client: Client) -> None:
    person = services.sign_up(username="ada", email="ada@example.org", password=PASSWORD)
    client.post(link_in(letter_to(person.email)))
    client.post("/accounts/password/reset/", {"email": person.email})
    run_jobs(queue="default")

    assert Letter.objects.count() == 2
    assert mail.outbox == []


def test_a_link_is_short_enough_for_every_mail_program() -> None:
    for line in write("confirm_address").text.splitlines():
        assert len(line.encode()) < 998
