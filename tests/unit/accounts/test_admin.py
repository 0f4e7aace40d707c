"""People in the admin: seen, confirmed, shut out; no password, no power one has not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.widgets import newest
from tests.support.accounts import PASSWORD, letter_to, log_in, make_user
from tests.support.messaging import run_jobs
from tests.support.photos import files_of, make_original

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
    pytest.mark.waived(
        "UPDATE",
        "accounts_user",
        "avatar_original",
        "avatar_state",
        "avatar_reason",
        because="the avatar before is shown until the next is there",
    ),
]
PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def chief(client: Client) -> User:
    """A superuser, logged in."""
    person = User.objects.create_superuser("chief", "chief@example.org", PASSWORD)
    client.force_login(person)
    return person


@pytest.fixture
def helper(client: Client) -> User:
    """Staff that may look after people, and nothing more; logged in."""
    person = make_user("helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(person)
    return person


def act(client: Client, action: str, *people: User) -> Any:
    fields = {"action": action, "_selected_action": [person.pk for person in people]}
    return client.post(PEOPLE, fields, follow=True)


def edit(client: Client, person: User, **changes: Any) -> Any:
    fields = {
        "display_name": person.display_name,
        "bio": person.bio,
        "language": person.language,
        "is_active": "on" if person.is_active else "",
    }
    return client.post(f"{PEOPLE}{person.pk}/change/", {**fields, **changes})


def test_a_superuser_by_command_line_is_confirmed(chief: User) -> None:
    assert chief.is_confirmed
    assert log_in(Client(), "chief")["Location"] == "/"


def test_the_admin_is_entered_by_the_one_log_in(client: Client, ada: User) -> None:
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/")["Location"].startswith("/accounts/login/")

    client.force_login(ada)

    assert client.get("/admin/login/").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "?q=ada", "?q=a%00", "?confirmed=no", "?confirmed=yes", "?is_staff__exact=1", "?o=-4"],
)
def test_people_are_listed_and_found(client: Client, chief: User, ada: User, query: str) -> None:
    make_user("new", confirmed=False)

    assert client.get(PEOPLE + query).status_code == 200


def test_the_filter_tells_who_is_confirmed(client: Client, chief: User) -> None:
    make_user("new", confirmed=False)

    found = client.get(f"{PEOPLE}?confirmed=no").context["cl"].queryset

    assert [person.username for person in found] == ["new"]


def test_nobody_sees_or_sets_a_password(client: Client, chief: User, ada: User) -> None:
    page = client.get(f"{PEOPLE}{ada.pk}/change/").content.decode()

    assert "argon2" not in page
    assert 'name="password' not in page
    assert client.get(f"{PEOPLE}{ada.pk}/password/").status_code == 302
    edit(client, ada, password="hacked", username="eve", email="eve@example.org")
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert (ada.username, ada.email) == ("ada", "ada@example.org")


def test_people_are_not_added_by_hand(client: Client, chief: User) -> None:
    assert client.get(f"{PEOPLE}add/").status_code == 403


def test_the_addresses_are_not_edited_by_hand(client: Client, chief: User) -> None:
    assert client.get("/admin/account/emailaddress/").status_code == 404


def test_nobody_reads_the_key_of_a_session(client: Client, chief: User) -> None:
    assert client.get("/admin/usersessions/usersession/").status_code == 404
    assert "usersession" not in client.get("/admin/").content.decode()


def test_an_address_is_confirmed_by_hand(client: Client, chief: User) -> None:
    new = make_user("new", confirmed=False)

    act(client, "confirm_by_hand", new)

    assert log_in(Client(), "new")["Location"] == "/"


def test_the_letter_is_sent_again(client: Client, chief: User, ada: User) -> None:
    new = make_user("new", confirmed=False)

    page = act(client, "send_letter_again", new, ada)

    assert "1 letter is on its way" in page.content.decode()
    assert letter_to("new@example.org").kind == "confirm_address"


def test_a_ghost_is_neither_confirmed_nor_written_to(client: Client, chief: User) -> None:
    make_user("ben")
    ghost = services.sign_up(username="spy", email="ben@example.org", password=PASSWORD)

    act(client, "confirm_by_hand", ghost)
    act(client, "send_letter_again", ghost)

    ghost.refresh_from_db()
    assert not ghost.is_confirmed


@pytest.mark.django_db(transaction=True)
def test_who_is_shut_out_is_gone_from_the_pages(client: Client, chief: User, ada: User) -> None:
    assert "ada" in newest()

    edit(client, ada, is_active="")

    ada.refresh_from_db()
    assert not ada.is_active
    assert "ada" not in newest()


def test_an_edit_by_hand_is_checked(client: Client, chief: User, ada: User) -> None:
    edit(client, ada, display_name="Ada\u202e")

    ada.refresh_from_db()
    assert ada.name == "ada"


def test_a_deletion_takes_the_files_too(
    client: Client, chief: User, ada: User, ben: User, media: Path
) -> None:
    for person in (ada, ben):
        services.change_avatar(person=person, upload=make_original())
    run_jobs()

    client.post(f"{PEOPLE}{ada.pk}/delete/", {"post": "yes"})
    fields = {"action": "delete_selected", "_selected_action": [ben.pk], "post": "yes"}
    client.post(PEOPLE, fields)
    run_jobs()

    assert list(User.objects.all()) == [chief]
    assert files_of(media) == []


class TestPowers:
    def test_staff_cannot_give_powers(self, client: Client, helper: User, ada: User) -> None:
        edit(client, ada, is_staff="on", is_superuser="on", display_name="Ada L.")
        edit(client, helper, is_superuser="on")

        for person in (ada, helper):
            person.refresh_from_db()
            assert not person.is_superuser
        assert not ada.is_staff
        assert ada.name == "Ada L."

    def test_staff_cannot_touch_a_superuser(self, client: Client, helper: User) -> None:
        chief = User.objects.create_superuser("chief", "chief@example.org", PASSWORD)

        assert edit(client, chief, is_active="").status_code == 403
        assert client.post(f"{PEOPLE}{chief.pk}/delete/", {"post": "yes"}).status_code == 403
        fields = {"action": "delete_selected", "_selected_action": [chief.pk], "post": "yes"}
        client.post(PEOPLE, fields)

        chief.refresh_from_db()
        assert chief.is_active

    def test_a_superuser_gives_powers(self, client: Client, chief: User, ada: User) -> None:
        edit(client, ada, is_staff="on")

        ada.refresh_from_db()
        assert ada.is_staff


def test_only_staff_is_let_in(client: Client, ada: User, settings: Settings) -> None:
    client.force_login(ada)

    assert client.get(PEOPLE).status_code == 302
