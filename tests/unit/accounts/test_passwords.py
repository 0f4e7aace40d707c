"""New passwords: forgotten, changed, and what ends with the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.mail.models import Letter
from tests.support.accounts import PASSWORD, letter_to, link_in, log_in, make_user
from tests.support.messaging import run_jobs

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
    pytest.mark.waived("UPDATE", "accounts_user", "password", because="it is shown to nobody"),
]
NEW = "cobalt-night-42"
ADDRESS = "ada@example.org"


def ask(email: str) -> Any:
    return Client().post("/accounts/password/reset/", {"email": email})


def choose(client: Client, link: str, password: str = NEW) -> Any:
    page = client.get(link, follow=True)
    place = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(place, {"password1": password, "password2": password})


def test_a_letter_brings_a_new_password(client: Client, ada: User) -> None:
    ask("Ada@example.org")

    choose(client, link_in(letter_to(ADDRESS)))

    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert log_in(client, password=NEW)["Location"] == "/"


def test_it_is_told_by_letter(client: Client, ada: User) -> None:
    ask(ADDRESS)
    choose(client, link_in(letter_to(ADDRESS)))

    letter = letter_to(ADDRESS)

    assert letter.kind == "password_changed"
    assert "127.0.0.1" in letter.text


@pytest.mark.parametrize("who", ["nobody", "shut out"])
def test_no_letter_goes_to_strangers(who: str) -> None:
    if who == "shut out":
        make_user("ada", is_active=False)

    ask(ADDRESS)
    run_jobs(queue="default")

    assert not Letter.objects.exists()


def test_the_answer_and_its_work_are_the_same_for_everybody(ada: User) -> None:
    ask("warm-up@example.org")
    seen = []
    for email in (ADDRESS, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            response = ask(email)
        statements = [query["sql"].split()[:3] for query in queries if "POINT" not in query["sql"]]
        seen.append((response.status_code, response["Location"], response.content, statements))

    assert seen[0] == seen[1]
    assert seen[0][:2] == (302, "/accounts/password/reset/done/")


def test_a_link_works_once(client: Client, ada: User) -> None:
    ask(ADDRESS)
    link = link_in(letter_to(ADDRESS))
    choose(client, link)

    again = choose(Client(), link, "third-password-1")

    assert "This link is used up" in again.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_a_link_holds_for_a_day(client: Client, ada: User) -> None:
    ask(ADDRESS)
    link = link_in(letter_to(ADDRESS))

    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        page = client.get(link)

    assert "This link is used up" in page.content.decode()


@pytest.mark.parametrize("key", ["1-x", "zzzzzzzzzzzzz-set-password", "1-set-password", "0-a-b"])
def test_a_link_that_nobody_wrote_changes_nothing(client: Client, key: str) -> None:
    page = client.get(f"/accounts/password/reset/key/{key}/")

    assert page.status_code == 200
    assert "This link is used up" in page.content.decode()


def test_a_new_password_ends_every_session(client: Client, ada: User) -> None:
    log_in(client)
    ask(ADDRESS)

    choose(Client(), link_in(letter_to(ADDRESS)))

    assert client.get("/accounts/settings/").status_code == 302


def test_the_letter_proves_the_address_too(client: Client) -> None:
    """So a sign-up by somebody else, with a password they know, ends with it."""
    make_user("ada", confirmed=False)
    ask(ADDRESS)

    choose(client, link_in(letter_to(ADDRESS)))

    assert User.objects.get().is_confirmed
    assert not Client().login(username="ada", password=PASSWORD)
    assert log_in(client, password=NEW)["Location"] == "/"


def test_the_letter_after_a_second_sign_up_leads_to_a_new_password(client: Client) -> None:
    make_user("squatter", email=ADDRESS, confirmed=False)
    fields = {"username": "ada", "email": ADDRESS, "password1": NEW, "password2": NEW}
    Client().post("/accounts/signup/", fields)

    choose(client, link_in(letter_to(ADDRESS)))

    person = User.objects.get(email=ADDRESS)
    assert person.is_confirmed
    assert person.check_password(NEW)


def test_somebody_elses_wish_for_an_address_opens_no_account(client: Client, ben: User) -> None:
    client.force_login(ben)
    reauthenticated(client)
    client.post("/accounts/email/", {"email": ADDRESS, "action_add": ""})
    run_jobs()

    ask(ADDRESS)
    run_jobs(queue="default")

    assert not Letter.objects.filter(kind="new_password").exists()


def reauthenticated(client: Client) -> None:
    response = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert response.status_code == 302


class TestChanging:
    def change(self, client: Client, **changes: str) -> Any:
        fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **changes}
        return client.post("/accounts/password/change/", fields)

    def test_this_device_stays_and_all_others_are_logged_out(
        self, client: Client, ada: User
    ) -> None:
        other = Client()
        log_in(client)
        log_in(other)

        assert self.change(client)["Location"] == "/accounts/settings/"

        assert client.get("/accounts/settings/").status_code == 200
        assert other.get("/accounts/settings/").status_code == 302

    def test_it_is_told_by_letter(self, client: Client, ada: User) -> None:
        log_in(client)

        self.change(client)

        assert letter_to(ADDRESS).kind == "password_changed"

    @pytest.mark.parametrize(
        "changes",
        [
            {"oldpassword": "wrong"},
            {"password2": "other"},
            {"password1": "short", "password2": "short"},
            {"password1": "x" * 5000, "password2": "x" * 5000},
        ],
    )
    def test_what_is_no_good_is_refused(
        self, client: Client, ada: User, changes: dict[str, str]
    ) -> None:
        log_in(client)

        assert self.change(client, **changes).context["form"].errors
        ada.refresh_from_db()
        assert ada.check_password(PASSWORD)

    def test_only_the_password_is_written(self, client: Client, ada: User) -> None:
        """A worker may be writing the avatar in the same moment."""
        log_in(client)

        with CaptureQueriesContext(connection) as queries:
            self.change(client)

        updates = [query["sql"] for query in queries if 'UPDATE "accounts_user"' in query["sql"]]
        assert len(updates) == 1
        assert "avatar" not in updates[0]


class TestSessions:
    def test_devices_are_listed_and_the_others_logged_out(self, client: Client, ada: User) -> None:
        other = Client(headers={"user-agent": "Netscape <b>4</b>"})
        log_in(client)
        log_in(other)

        page = client.get("/accounts/sessions/").content.decode()
        assert "Netscape &lt;b&gt;4" in page
        assert "This one" in page

        client.post("/accounts/sessions/")

        assert client.get("/accounts/settings/").status_code == 200
        assert other.get("/accounts/settings/").status_code == 302
