from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from tests.support.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def test_a_person_is_stored_with_a_password_that_is_not() -> None:
    person = make_user("ada")

    assert person.check_password(PASSWORD)
    assert PASSWORD not in person.password
    assert person.password.startswith("argon2")


def test_names_differ_by_more_than_case() -> None:
    make_user("Ada")

    with pytest.raises(IntegrityError):
        make_user("ada", email="other@example.org")


def test_addresses_differ_by_more_than_case() -> None:
    make_user("ada", email="ada@example.org")

    with pytest.raises(IntegrityError):
        make_user("ben", email="Ada@example.org")


def test_the_manager_writes_addresses_in_lower_case() -> None:
    person = User.objects.create_user("ada", " Ada@Example.ORG ")

    assert person.email == "ada@example.org"


@pytest.mark.parametrize("name", ["ada", "Ada_2", "a.b-c", "007"])
def test_a_name_of_letters_digits_and_signs_between_is_fine(name: str) -> None:
    User(username=name, email="a@example.org", password="x").full_clean()


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 31, "-ada", "ada-", "a b c", "\u0430da", "ada\n", "ada/x", "..", "..."],
)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        User(username=name, email="a@example.org", password="x").full_clean()

    assert set(caught.value.message_dict) == {"username"}


@pytest.mark.parametrize("name", ["-ada", "ada lovelace", "ada\n", "\u0430da", "..", "", "a" * 31])
def test_the_database_refuses_it_too(name: str) -> None:
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        User.objects.create(username=name, email="a@example.org")


@pytest.mark.parametrize(
    "values",
    [
        {"email": ""},
        {"email": "Ada@example.org"},
        {"avatar_state": "lost"},
    ],
)
def test_the_database_keeps_a_row_sound(ada: User, values: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=ada.pk).update(**values)


def test_a_person_is_called_by_the_name_they_chose() -> None:
    person = User(username="ada", display_name="Ada Lovelace")

    assert person.name == person.get_full_name() == person.get_short_name() == "Ada Lovelace"
    assert User(username="ada").name == "ada"
    assert str(person) == "ada"


def test_a_person_has_a_page_and_a_tag(ada: User) -> None:
    assert ada.get_absolute_url() == "/people/ada/"
    assert ada.cache_tags() == [f"user:{ada.pk}"]


def test_a_person_is_confirmed_once_their_address_is() -> None:
    make_user("ada")
    make_user("ben", confirmed=False)
    make_user("cyd", is_active=False)

    assert [person.username for person in User.objects.confirmed()] == ["ada"]
    assert [person.username for person in User.objects.unconfirmed()] == ["ben"]


def test_the_look_up_of_a_name_uses_its_index() -> None:
    """`iexact` asks in upper case, and so is the unique index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as queries:
        User.objects.named("ada").first()
        plan = User.objects.named("ada").order_by().explain()

    assert len(queries) == 2
    assert "user_name_is_unique" in plan


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_the_command_line_finds_people_as_the_pages_do(ada: User, name: str) -> None:
    assert User.objects.get_by_natural_key(name) == ada


def test_createsuperuser_makes_somebody_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command(
        "createsuperuser", "--noinput", username="admin", email="Root@example.org", verbosity=0
    )

    chief = User.objects.get()
    assert (chief.email, chief.is_confirmed, chief.is_superuser) == ("root@example.org", True, True)


def test_the_avatar_is_known_by_its_renditions() -> None:
    names = ("96.webp", "320.webp")
    person = User(avatar_renditions={name: f"a1/00/f0/{name}" for name in names})

    assert person.avatar_key == "a1/00/f0"
    assert person.avatar_url.endswith("/a1/00/f0/96.webp")
    assert person.large_avatar_url.endswith("/a1/00/f0/320.webp")
    assert (User().avatar_key, User().avatar_url, User().large_avatar_url) == ("", "", "")
