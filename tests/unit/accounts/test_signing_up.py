"""Sign-up: the answer is the same for every address, and nothing is half done."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts import services
from apps.accounts.exceptions import NameTaken
from apps.accounts.models import User
from apps.mail.models import Letter
from apps.messaging.models import Job
from tests.support.accounts import PASSWORD, make_user
from tests.support.pictures import make_picture

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
    pytest.mark.waived("INSERT", "accounts_user", because="who has not confirmed is in no list"),
]
SIGN_UP = "/accounts/signup/"


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "username": "ada",
        "email": "ada@example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
        **changes,
    }


def sign_up(client: Client | None = None, /, **changes: Any) -> Any:
    return (client or Client()).post(SIGN_UP, fields(**changes))


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_the_page_asks_for_what_is_needed(client: Client) -> None:
    response = client.get(SIGN_UP)

    assert response.status_code == 200
    assert list(response.context["form"].fields) == [
        "username",
        "email",
        "password1",
        "password2",
        "avatar",
    ]


def test_who_signs_up_is_told_to_look_for_a_letter(client: Client) -> None:
    response = sign_up(client)

    assert response.status_code == 302
    assert response["Location"] == "/accounts/confirm-email/"
    page = client.get(response["Location"])
    assert "A letter is on its way" in page.content.decode()


@pytest.mark.parametrize("page", ["/accounts/confirm-email/", "/accounts/password/reset/done/"])
def test_on_a_development_machine_the_way_to_the_letter_is_shown(
    client: Client, settings: Settings, page: str
) -> None:
    settings.DEBUG, settings.INBOX_DIR = True, "/var/inbox"
    assert 'href="/inbox/"' in client.get(page).content.decode()

    settings.INBOX_DIR = ""
    assert "/inbox/" not in client.get(page).content.decode()


def test_a_sign_up_is_a_person_a_letter_and_a_job() -> None:
    sign_up(email="Ada@Example.org")

    person = User.objects.get(username="ada")
    letter = Letter.objects.get()
    assert person.email == "ada@example.org"
    assert not person.is_confirmed
    assert person.check_password(PASSWORD)
    assert (letter.to, letter.kind) == ("ada@example.org", "confirm_address")
    assert Job.objects.get().arguments == {"letter_id": letter.pk}


def test_nobody_is_left_half_signed_up(settings: Settings) -> None:
    """The letter is the last thing written; without it there is no person either."""
    before = len(default_storage.listdir("avatars")[1]) if default_storage.exists("avatars") else 0
    upload = SimpleUploadedFile("me.png", make_picture("png"))

    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    with pytest.raises(TemplateDoesNotExist):
        services.sign_up(
            username="ada",
            email="ada@example.org",
            password=PASSWORD,
            avatar=upload,
        )

    assert not User.objects.exists()
    assert not Letter.objects.exists()
    assert len(default_storage.listdir("avatars")[1]) == before


class Answer:
    """All of an answer that a stranger could tell from another."""

    def __init__(self, response: HttpResponse, client: Client) -> None:
        page = client.get(response["Location"])
        token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "none"
        hidden = {"set-cookie", "x-request-id", "expires"}
        self.status = response.status_code
        self.headers = {
            name.lower(): value
            for name, value in response.headers.items()
            if name.lower() not in hidden
        }
        self.cookies = {
            name: (len(morsel.value), {key: morsel[key] for key in ("path", "samesite", "max-age")})
            for name, morsel in client.cookies.items()
        }
        self.body = response.content.decode().replace(token, "")
        self.page = page.content.decode().replace(token, "")


def watched(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[Answer, int, list[str]]:
    """Sign up in a fresh browser; return the answer, how often was hashed, and what was asked."""
    hashed: list[str] = []
    hasher = hashers.get_hasher("default")
    encode = type(hasher).encode

    def count(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(type(hasher), "encode", count)
    client = Client()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = sign_up(client, **changes)
    monkeypatch.undo()
    statements = [re.sub(r'"s\d+_x\d+"', "", query["sql"])[:60] for query in queries]
    return Answer(response, client), len(hashed), statements


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_known_address_gets_the_same_answer(
    monkeypatch: pytest.MonkeyPatch, confirmed: bool
) -> None:
    make_user("ben", email="known@example.org", confirmed=confirmed)
    sign_up(username="warm", email="up@example.org")

    unknown, hashes, queries = watched(monkeypatch, username="one", email="new@example.org")
    known, hashes_of_known, queries_of_known = watched(
        monkeypatch, username="two", email="known@example.org"
    )

    assert vars(known) == vars(unknown)
    assert hashes_of_known == hashes == 1
    assert queries_of_known == queries


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_had_a_letter_sent_to_an_address_before_learns_nothing_from_it(
    monkeypatch: pytest.MonkeyPatch, confirmed: bool
) -> None:
    make_user("ben", email="known@example.org", confirmed=confirmed)
    sign_up(username="warm", email="up@example.org")
    for email in ("new@example.org", "known@example.org"):
        Client().post("/accounts/letter/", {"email": email})

    unknown, _, queries = watched(monkeypatch, username="one", email="new@example.org")
    known, _, queries_of_known = watched(monkeypatch, username="two", email="known@example.org")

    assert vars(known) == vars(unknown)
    assert queries_of_known == queries


def test_the_owner_of_an_address_is_told_by_letter() -> None:
    ben = make_user("ben")

    sign_up(email="Ben@example.org")

    letter = Letter.objects.get()
    assert (letter.to, letter.kind) == ("ben@example.org", "account_exists")
    assert "user name is ben" in letter.text
    assert "/accounts/password/reset/key/" in letter.text
    assert User.objects.get(email="ben@example.org") == ben


def test_a_known_address_takes_the_name_all_the_same() -> None:
    """Otherwise the next sign-up would tell: the name is taken, or it is not."""
    make_user("ben")
    sign_up(username="spy", email="ben@example.org")
    sign_up(username="spy2", email="nobody@example.org")

    first = sign_up(username="SPY", email="other1@example.org")
    second = sign_up(username="SPY2", email="other2@example.org")

    assert errors_of(first) == errors_of(second) != {}


def test_a_ghost_never_logs_in_and_never_appears() -> None:
    make_user("ben")
    sign_up(username="spy", email="ben@example.org")

    ghost = User.objects.get(username="spy")

    assert ghost.is_ghost
    assert not ghost.is_confirmed
    assert not Client().login(username="spy", password=PASSWORD)
    assert not Letter.objects.filter(to=ghost.email).exists()


def test_an_owner_is_not_flooded_with_letters() -> None:
    make_user("ben")

    answers = {
        sign_up(username=f"spy{number}", email="ben@example.org")["Location"] for number in range(3)
    }

    assert answers == {"/accounts/confirm-email/"}
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
def test_a_taken_name_is_told(name: str) -> None:
    make_user("Ada", email="other@example.org")

    response = sign_up(username=name)

    assert errors_of(response) == {"username": ["This name is taken. Please choose another."]}


@pytest.mark.parametrize("name", ["admin", "Admin", "a.d.m.i.n", "_root", "settings", "you"])
def test_a_name_of_the_site_is_not_given_away(name: str) -> None:
    assert "username" in errors_of(sign_up(username=name))


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 31, "a" * 100_000, "\u0430da", "ada lovelace", "ада", "ada\0", "ada\r\nBcc: x"],
)
def test_a_name_that_could_mislead_is_refused(name: str) -> None:
    assert "username" in errors_of(sign_up(username=name))


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "ada@",
        "ada@example.org\r\nBcc: victim@example.org",
        "ada@example.org\nSubject: x",
        "ada@example.org,ben@example.org",
        "ada@ex\u0430mple.org",
        "\u0430da@example.org",
        "a" * 300 + "@example.org",
        "ada\0@example.org",
        "ada@[127.0.0.1]",
        '"ada.l"@example.org',
        "a" * 65 + "@example.org",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    response = sign_up(email=address)

    assert "email" in errors_of(response)
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password2": "another-light-18"}, "password2"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "1234567890123", "password2": "1234567890123"}, "password1"),
        ({"password1": "x" * 10_000, "password2": "x" * 10_000}, "password1"),
        (
            {"username": "amberlight", "password1": "amberlight", "password2": "amberlight"},
            "password1",
        ),
    ],
)
def test_a_password_that_is_no_good_is_refused(changes: dict[str, Any], field: str) -> None:
    assert field in errors_of(sign_up(**changes))


def test_an_avatar_comes_along_and_waits_to_be_developed() -> None:
    sign_up(avatar=SimpleUploadedFile("me.jpg", make_picture("jpeg")))

    person = User.objects.get(username="ada")
    job = Job.objects.get(queue="images")
    assert person.avatar_state == User.AvatarState.QUEUED
    assert default_storage.exists(person.avatar_name)
    assert job.arguments == {"person_id": person.pk, "original": person.avatar_name}


def test_what_is_no_picture_is_refused_at_once() -> None:
    response = sign_up(avatar=SimpleUploadedFile("me.jpg", b"MZ" + b"\0" * 1000))

    assert "not a picture" in errors_of(response)["avatar"][0]
    assert not User.objects.exists()


def test_a_picture_that_is_too_large_is_refused(settings: Settings) -> None:
    settings.AVATAR_MAX_BYTES = 100_000

    response = sign_up(avatar=SimpleUploadedFile("me.jpg", b"\xff\xd8\xff" + b"\0" * 300_000))

    assert errors_of(response)["avatar"] == ["The picture is too large: 97.7\xa0KB is the limit."]


def test_a_file_with_a_strange_name_is_no_trouble() -> None:
    name = "x." + "y" * 250

    assert sign_up(avatar=SimpleUploadedFile(name, make_picture("png"))).status_code == 302


def test_who_is_logged_in_signs_up_nobody(client: Client, ada: User) -> None:
    client.force_login(ada)

    assert client.get(SIGN_UP)["Location"] == "/"


def test_the_language_of_the_visitor_is_kept() -> None:
    sign_up()

    assert User.objects.get().language == "en"
    assert Letter.objects.get().language == "en"


def test_a_service_refuses_what_no_form_lets_pass() -> None:
    make_user("ada")

    with pytest.raises(NameTaken):
        services.sign_up(username="ADA", email="x@example.org", password=PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", ["username", "email"])
def test_two_sign_ups_at_once_do_not_fail(same: str) -> None:
    changes: list[dict[str, Any]] = [
        {
            "username": "ada" if same == "username" else f"ada{number}",
            "email": "ada@example.org" if same == "email" else f"ada{number}@example.org",
        }
        for number in range(4)
    ]

    def run(change: dict[str, Any]) -> int:
        try:
            return int(sign_up(**change).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(run, changes))

    people = User.objects.exclude(email__endswith="@ghost.invalid")
    assert people.count() == 1
    assert Letter.objects.filter(kind="confirm_address").count() == 1
    assert codes == ([200, 200, 200, 302] if same == "username" else [302] * 4)
