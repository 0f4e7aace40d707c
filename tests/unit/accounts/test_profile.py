"""The settings of an account: what others see."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.widgets import newest, person_header

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]
SETTINGS = "/accounts/settings/"


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def change(client: Client, **fields: str) -> Any:
    return client.post(SETTINGS, {"display_name": "", "bio": "", **fields})


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    assert client.get(SETTINGS)["Location"] == f"/accounts/login/?next={SETTINGS}"
    assert client.get("/accounts/avatar/state/").status_code == 302
    assert client.post("/accounts/delete/").status_code == 302


def test_what_is_typed_is_kept(browser: Client, ada: User) -> None:
    response = change(browser, display_name=" Ada Lovelace ", bio="First line\r\nSecond")

    ada.refresh_from_db()
    assert response["Location"] == SETTINGS
    assert ada.name == "Ada Lovelace"
    assert ada.bio == "First line\r\nSecond"


@pytest.mark.parametrize("name", ["Zoë", "李雷", "Ольга", "👩‍🚀 Ada", "محمد", "O'Brien-Łuk"])
def test_a_name_may_be_of_any_script(browser: Client, ada: User, name: str) -> None:
    change(browser, display_name=name)

    ada.refresh_from_db()
    assert ada.name == name


def test_one_name_is_always_spelt_the_same(browser: Client, ada: User) -> None:
    change(browser, display_name="Zoe\u0308")

    ada.refresh_from_db()
    assert ada.name == "Zo\u00eb"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("display_name", "Ada\u202eadA"),
        ("display_name", "Ada\nLovelace"),
        ("display_name", "Ada\u200bLovelace"),
        ("display_name", "A" * 81),
        ("display_name", "A" * 1_000_000),
        ("display_name", "Ada\0"),
        ("bio", "x" * 501),
        ("bio", "a\u2066b"),
        ("bio", "a\x07b"),
    ],
)
def test_what_could_mislead_is_refused(browser: Client, ada: User, field: str, text: str) -> None:
    response = change(browser, **{field: text})

    assert field in response.context["form"].errors
    assert User.objects.get().name == "ada"
    # Nor does the page itself show what was refused as if it were so.
    assert response.context["user"].name == "ada"


def test_markup_is_shown_as_it_was_typed(browser: Client, ada: User) -> None:
    change(browser, display_name="<script>alert(1)</script>")

    page = browser.get("/people/ada/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_service_refuses_what_no_form_lets_pass(ada: User) -> None:
    with pytest.raises(ValidationError):
        services.change_profile(person=ada, display_name="A" * 81, bio="", language="")


def test_one_language_is_no_choice(browser: Client) -> None:
    assert "language" not in browser.get(SETTINGS).context["form"].fields


def test_a_language_is_spoken_at_once(browser: Client, ada: User, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]

    chosen = change(browser, language="zh-hans")
    ada.refresh_from_db()
    assert (ada.language, chosen.cookies["django_language"].value) == ("zh-hans", "zh-hans")

    left = change(browser, language="")
    ada.refresh_from_db()
    assert (ada.language, left.cookies["django_language"].value) == ("", "")


def test_a_language_that_nobody_speaks_is_refused(browser: Client, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]

    assert "language" in change(browser, language="tlh").context["form"].errors


@pytest.mark.django_db(transaction=True)
def test_a_new_name_is_seen_at_once(ada: User) -> None:
    assert "ada" in newest()
    assert "ada" in person_header(ada.pk)

    services.change_profile(person=ada, display_name="Ada Lovelace", bio="Counts.", language="")

    assert "Ada Lovelace" in newest()
    assert "Counts." in person_header(ada.pk)
