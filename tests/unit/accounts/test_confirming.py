"""The letter, its link and its button; and the letter once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.accounts import processing, services
from apps.accounts.models import User
from apps.mail.models import Letter
from apps.messaging.models import Job
from tests.support.accounts import PASSWORD, letter_to, link_in, log_in, make_user
from tests.support.messaging import run_jobs

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
]
ADDRESS = "ada@example.org"


@pytest.fixture
def browser() -> Client:
    """The browser with which ada signed up."""
    client = Client()
    fields = {"username": "ada", "email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/signup/", fields).status_code == 302
    return client


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_opening_the_link_confirms_nothing(browser: Client) -> None:
    page = browser.get(link_in(letter_to(ADDRESS)))

    assert ADDRESS in page.content.decode()
    assert page.content.decode().count('<button type="submit"') >= 1
    assert not User.objects.get().is_confirmed


def test_the_button_confirms_and_logs_in_where_the_sign_up_was(browser: Client) -> None:
    response = browser.post(link_in(letter_to(ADDRESS)))

    person = User.objects.get()
    assert response["Location"] == "/"
    assert person.is_confirmed
    assert EmailAddress.objects.get().verified
    assert is_logged_in(browser)


def test_another_browser_confirms_and_then_logs_in(browser: Client, client: Client) -> None:
    response = client.post(link_in(letter_to(ADDRESS)))

    assert response["Location"] == "/accounts/login/"
    assert User.objects.get().is_confirmed
    assert not is_logged_in(client)
    assert log_in(client)["Location"] == "/"


def test_a_second_press_of_the_button_is_no_error(browser: Client) -> None:
    link = link_in(letter_to(ADDRESS))
    browser.post(link)

    again = browser.post(link)

    assert again.status_code == 200
    assert "This link is used up" in again.content.decode()


def test_an_old_link_says_so_and_offers_a_new_one(browser: Client, client: Client) -> None:
    link = link_in(letter_to(ADDRESS))

    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        page = client.get(link).content.decode()
        client.post(link)

    assert "This link is used up" in page
    assert "/accounts/letter/" in page
    assert not User.objects.get().is_confirmed


@pytest.mark.parametrize("key", ["x", "MQ:1abc:wrong", "a" * 2000, "-", "0:0:0"])
def test_a_link_that_nobody_wrote_confirms_nothing(client: Client, key: str) -> None:
    assert client.get(f"/accounts/confirm-email/{key}/").status_code == 200
    assert client.post(f"/accounts/confirm-email/{key}/").status_code == 200


def test_somebody_else_who_is_logged_in_stays_so(browser: Client, client: Client) -> None:
    ben = make_user("ben")
    client.force_login(ben)

    client.get(link_in(letter_to(ADDRESS)))
    client.post(link_in(letter_to(ADDRESS)))

    assert client.session["_auth_user_id"] == str(ben.pk)
    assert User.objects.get(username="ada").is_confirmed


def test_who_is_confirmed_appears_on_the_site(browser: Client, client: Client) -> None:
    assert client.get("/people/ada/").status_code == 404

    browser.post(link_in(letter_to(ADDRESS)))

    assert client.get("/people/ada/").status_code == 200


def test_confirming_twice_keeps_the_first_time() -> None:
    person = make_user("ada", confirmed=False)
    services.confirm(person=person)
    first = person.confirmed_at

    services.confirm(person=person)

    assert User.objects.get().confirmed_at == first


class TestTheLetterAgain:
    def ask(self, email: str, client: Client | None = None) -> Any:
        return (client or Client()).post("/accounts/letter/", {"email": email})

    def test_it_comes_to_who_waits_for_it(self) -> None:
        make_user("ada", confirmed=False)

        self.ask("Ada@example.org")

        assert letter_to(ADDRESS).kind == "confirm_address"

    def test_its_link_works_as_the_first_did(self, client: Client) -> None:
        make_user("ada", confirmed=False)
        self.ask(ADDRESS)

        client.post(link_in(letter_to(ADDRESS)))

        assert User.objects.get().is_confirmed

    @pytest.mark.parametrize("who", ["nobody", "confirmed", "shut out"])
    def test_it_comes_to_nobody_else(self, who: str) -> None:
        if who != "nobody":
            make_user("ada", confirmed=who == "confirmed", is_active=who == "confirmed")

        self.ask(ADDRESS)
        run_jobs(queue="default")

        assert not Letter.objects.exists()

    def test_the_answer_is_the_same_for_everybody(self) -> None:
        make_user("ada", confirmed=False)
        make_user("ben")

        answers = [self.ask(email) for email in (ADDRESS, "ben@example.org", "nobody@example.org")]

        assert {(one.status_code, one["Location"]) for one in answers} == {
            (302, "/accounts/confirm-email/")
        }
        assert Job.objects.filter(task="accounts.write_confirmation").count() == 3

    def test_nobody_is_flooded_by_it(self) -> None:
        make_user("ada", confirmed=False)

        for _ in range(3):
            assert self.ask(ADDRESS).status_code == 302

        run_jobs(queue="default")
        assert Letter.objects.count() == 1

    @pytest.mark.parametrize("email", ["", "x", "a\r\nBcc: b@example.org", "a" * 300 + "@b.org"])
    def test_what_is_no_address_is_refused(self, email: str) -> None:
        assert self.ask(email).status_code == 200
        assert not Job.objects.exists()


@pytest.mark.waived("DELETE", "accounts_user", because="who has not confirmed was in no list")
class TestForgetting:
    def test_who_never_confirms_is_forgotten(self, settings: Settings) -> None:
        late = timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS, minutes=1)
        make_user("late", confirmed=False, date_joined=late)
        make_user("new", confirmed=False)
        make_user("old", date_joined=late)
        make_user("chief", confirmed=False, date_joined=late, is_staff=True)

        assert processing.forget_unconfirmed() == 1

        assert set(User.objects.values_list("username", flat=True)) == {"new", "old", "chief"}

    def test_the_name_and_the_address_are_free_again(self, settings: Settings) -> None:
        late = timezone.now() - timedelta(days=settings.UNCONFIRMED_DAYS, minutes=1)
        make_user("ada", confirmed=False, date_joined=late)

        processing.forget_unconfirmed()

        services.sign_up(username="ada", email=ADDRESS, password=PASSWORD)
        assert letter_to(ADDRESS).kind == "confirm_address"
