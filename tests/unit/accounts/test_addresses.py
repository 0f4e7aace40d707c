"""A change of the address: confirmed anew, told to the old one, silent about those of others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import services
from apps.accounts.models import User
from apps.mail.models import Letter
from tests.support.accounts import PASSWORD, letter_to, link_in, log_in, make_user
from tests.support.messaging import run_jobs

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
    pytest.mark.waived("UPDATE", "accounts_user", "email", because="it is shown to nobody"),
]
NEW = "ada@elsewhere.example"


@pytest.fixture
def browser(ada: User) -> Client:
    """Ada's browser, in which she has just typed her password."""
    client = Client()
    log_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def change(client: Client, email: str = NEW) -> Any:
    return client.post("/accounts/email/", {"email": email, "action_add": ""})


def test_the_password_is_asked_for_first(client: Client, ada: User) -> None:
    client.force_login(ada)

    response = change(client)

    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email=NEW).exists()


def test_after_the_password_what_was_wanted_is_done(client: Client, ada: User) -> None:
    client.force_login(ada)
    asked = change(client)["Location"]

    client.post(asked, {"password": PASSWORD})

    assert letter_to(NEW).kind == "confirm_change"


def test_a_wrong_password_goes_no_further(client: Client, ada: User) -> None:
    client.force_login(ada)
    asked = change(client)["Location"]

    page = client.post(asked, {"password": "wrong"})

    assert page.context["form"].errors
    assert not Letter.objects.exists()


def test_the_old_address_holds_until_the_new_one_is_confirmed(browser: Client, ada: User) -> None:
    change(browser)

    ada.refresh_from_db()
    assert ada.email == "ada@example.org"
    assert letter_to(NEW).kind == "confirm_change"
    assert NEW in browser.get("/accounts/email/").content.decode()


def test_confirming_makes_it_the_address(browser: Client, ada: User) -> None:
    change(browser, "ADA@Elsewhere.Example")

    response = browser.post(link_in(letter_to(NEW)))

    ada.refresh_from_db()
    assert response["Location"] == "/accounts/settings/"
    assert ada.email == NEW
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        (NEW, True, True)
    ]
    assert log_in(Client(), NEW)["Location"] == "/"


def test_the_old_address_is_told(browser: Client) -> None:
    change(browser)

    browser.post(link_in(letter_to(NEW)))

    letter = letter_to("ada@example.org")
    assert letter.kind == "address_changed"
    assert NEW in letter.text
    assert "Hello ada" in letter.text


def test_another_wish_replaces_the_one_before(browser: Client) -> None:
    change(browser, "first@elsewhere.example")
    first = link_in(letter_to("first@elsewhere.example"))
    change(browser)

    page = browser.get(first)

    assert "This link is used up" in page.content.decode()
    assert EmailAddress.objects.filter(verified=False).get().email == NEW


def test_a_wish_can_be_taken_back(browser: Client, ada: User) -> None:
    change(browser)
    link = link_in(letter_to(NEW))

    browser.post("/accounts/email/", {"email": NEW, "action_remove": ""})

    assert "This link is used up" in browser.get(link).content.decode()
    ada.refresh_from_db()
    assert ada.email == "ada@example.org"


def test_the_answer_tells_nothing_of_other_peoples_addresses(browser: Client, ben: User) -> None:
    change(browser, "warm-up@example.org")
    seen = []
    for email in (NEW, ben.email):
        with CaptureQueriesContext(connection) as queries:
            response = change(browser, email)
        page = browser.get(response["Location"]).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(email, "")
        statements = [query["sql"].split()[:3] for query in queries if "POINT" not in query["sql"]]
        seen.append((response.status_code, response["Location"], page, statements))

    assert seen[0] == seen[1]


def test_the_owner_of_an_address_is_told_and_keeps_it(browser: Client, ben: User) -> None:
    change(browser, ben.email)

    letter = letter_to(ben.email)

    assert letter.kind == "address_claimed"
    assert "/confirm-email/" not in letter.text
    ben.refresh_from_db()
    assert ben.email == "ben@example.org"


def test_an_address_that_got_an_owner_meanwhile_is_not_taken(browser: Client, ada: User) -> None:
    change(browser)
    link = link_in(letter_to(NEW))
    make_user("eve", email=NEW)

    page = browser.post(link, follow=True)

    ada.refresh_from_db()
    assert ada.email == "ada@example.org"
    assert "cannot be used for your account" in page.content.decode()


def test_a_wish_keeps_nobody_from_signing_up(browser: Client) -> None:
    change(browser)
    run_jobs()

    services.sign_up(username="eve", email=NEW, password=PASSWORD)

    assert letter_to(NEW).kind == "confirm_address"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "x",
        "ada@example.org",
        "\u0430@example.org",
        "a\r\nBcc: b@c.de",
        "ada@[127.0.0.1]",
        "a" * 65 + "@example.org",
    ],
)
def test_what_cannot_be_the_new_address_is_refused(browser: Client, email: str) -> None:
    assert change(browser, email).context["form"].errors
    assert EmailAddress.objects.count() == 1


def test_a_stranger_gets_no_words_of_the_person(browser: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(display_name="You won! See evil.example")
    change(browser)

    letter = letter_to(NEW)

    assert "evil.example" not in letter.subject + letter.text + letter.html
    assert "Hello ada," in letter.text


def test_who_came_by_command_line_has_an_address_for_allauth_too(client: Client) -> None:
    User.objects.create_superuser("chief", "Chief@Example.org", PASSWORD)

    log_in(client, "chief")

    address = EmailAddress.objects.get()
    assert (address.email, address.verified, address.primary) == ("chief@example.org", True, True)


def test_the_database_keeps_addresses_apart(ada: User) -> None:
    for email in ("ada@example.org", "Ben@example.org", ""):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(username="ben", email=email)
