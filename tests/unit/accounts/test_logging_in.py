"""Log-in and log-out: by name or address, at one price, with the same words for every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import User
from tests.support.accounts import PASSWORD, log_in, make_user

pytestmark = pytest.mark.django_db


def refusal(response: Any) -> list[str]:
    assert response.status_code == 200
    return list(response.context["form"].non_field_errors())


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.org", "Ada@Example.ORG", " ada "])
def test_a_name_or_an_address_logs_in(client: Client, ada: User, login: str) -> None:
    response = log_in(client, login)

    assert response["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)


@pytest.mark.parametrize("who", ["nobody", "wrong password", "unconfirmed", "shut out"])
@pytest.mark.parametrize("login", ["ada", "ada@example.org"])
def test_every_refusal_has_the_same_words(client: Client, who: str, login: str) -> None:
    if who != "nobody":
        make_user("ada", confirmed=who != "unconfirmed", is_active=who != "shut out")

    response = log_in(client, login, "another-light" if who == "wrong password" else PASSWORD)

    assert refusal(response) == [
        "That name or address and that password do not belong together, or the address is not "
        "confirmed yet: then the letter we sent has a link for that."
    ]
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("login", ["ada", "ada@example.org", "nobody", "nobody@example.org"])
@pytest.mark.parametrize("confirmed", [True, False])
def test_every_refusal_costs_one_hash_and_one_query(
    client: Client, monkeypatch: pytest.MonkeyPatch, login: str, confirmed: bool
) -> None:
    make_user("ada", confirmed=confirmed)
    hashes: list[str] = []
    hasher = type(hashers.get_hasher("default"))

    for name in ("encode", "verify"):
        original = getattr(hasher, name)

        def count(self: Any, password: str, *rest: Any, original: Any = original) -> Any:
            hashes.append(password)
            return original(self, password, *rest)

        monkeypatch.setattr(hasher, name, count)

    with CaptureQueriesContext(connection) as queries:
        log_in(client, login, "another-light")

    assert hashes == ["another-light"]
    assert len([query for query in queries if "accounts_user" in query["sql"]]) == 1


def test_a_session_ends_when_somebody_is_shut_out(client: Client, ada: User) -> None:
    log_in(client)

    User.objects.update(is_active=False)

    assert client.get("/accounts/settings/").status_code == 302


def test_too_many_tries_are_refused_for_any_name(client: Client, ada: User) -> None:
    for name in ("ada", "nobody"):
        for _ in range(5):
            log_in(client, name, "another-light")

        assert refusal(log_in(client, name)) == ["Too many failed login attempts. Try again later."]


def test_log_in_leads_where_one_wanted_to_go(client: Client, ada: User) -> None:
    page = client.get("/accounts/settings/")
    assert page["Location"] == "/accounts/login/?next=/accounts/settings/"

    response = client.post(page["Location"], {"login": "ada", "password": PASSWORD})

    assert response["Location"] == "/accounts/settings/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "http:///evil.example",
        "https:evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost:8000@evil.example/",
        "http://localhost.evil.example/",
    ],
)
@pytest.mark.parametrize("page", ["login", "logout", "signup"])
def test_no_page_leads_to_another_site(
    client: Client, ada: User, page: str, elsewhere: str
) -> None:
    if page == "logout":
        client.force_login(ada)
    fields = {"login": "ada", "password": PASSWORD, "next": elsewhere}

    response = client.post(f"/accounts/{page}/", fields, query_params={"next": elsewhere})

    assert "evil" not in response.headers.get("Location", "")
    assert not response.headers.get("Location", "").startswith("javascript")


def test_log_out_takes_a_press_of_a_button(client: Client, ada: User) -> None:
    client.force_login(ada)

    client.get("/accounts/logout/")
    assert "_auth_user_id" in client.session

    assert client.post("/accounts/logout/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("login", ["a" * 1_000_000, "ada\0", "a" * 300 + "@example.org", "", "@"])
def test_a_strange_name_is_refused_like_any_other(client: Client, login: str) -> None:
    response = log_in(client, login)

    assert response.status_code == 200
    assert response.context["form"].errors


def test_the_language_of_a_person_comes_with_the_log_in(client: Client) -> None:
    make_user("ada", language="en")

    response = log_in(client)

    assert response.cookies["django_language"].value == "en"


class TestBehindAProxy:
    def try_often(self, forwarded: list[str]) -> set[int]:
        return {
            Client(headers={"x-forwarded-for": forwarded[number % len(forwarded)]})
            .post("/accounts/letter/", {"email": f"person{number}@example.org"})
            .status_code
            for number in range(22)
        }

    def test_each_visitor_is_counted_for_themselves(self, settings: Settings) -> None:
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

        assert self.try_often(["198.51.100.1", "198.51.100.2"]) == {302}
        assert self.try_often(["198.51.100.3"]) == {302, 429}

    def test_what_a_visitor_claims_does_not_count(self, settings: Settings) -> None:
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        claims = [f"203.0.113.{number}, 198.51.100.1" for number in range(22)]

        assert self.try_often(claims) == {302, 429}

    def test_without_a_proxy_the_header_does_not_count(self) -> None:
        assert self.try_often([f"203.0.113.{number}" for number in range(22)]) == {302, 429}

    @pytest.mark.parametrize("header", ["unknown", "", "1.2.3.4.5", "a, b", "[::1]:80"])
    def test_an_address_that_cannot_be_read_locks_nobody_out(
        self, settings: Settings, ada: User, header: str
    ) -> None:
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        client = Client(headers={"x-forwarded-for": header})

        assert log_in(client)["Location"] == "/"


class TestWithoutACache:
    @pytest.fixture(autouse=True)
    def _dead_cache(self, settings: Settings) -> None:
        settings.CACHING = {**settings.CACHING, "SERVERS": ["redis://127.0.0.1:9/0"]}

    def test_people_log_in(self, client: Client, ada: User) -> None:
        for _ in range(3):
            assert log_in(Client())["Location"] == "/"

    def test_people_sign_up(self, client: Client) -> None:
        fields = {"username": "eve", "email": "eve@example.org"}
        passwords = {"password1": PASSWORD, "password2": PASSWORD}

        assert client.post("/accounts/signup/", fields | passwords).status_code == 302
        assert User.objects.filter(username="eve").exists()

    def test_people_ask_for_a_new_password(self, client: Client) -> None:
        response = client.post("/accounts/password/reset/", {"email": "ada@example.org"})

        assert response.status_code == 302
