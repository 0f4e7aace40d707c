"""People for tests: ada owns, ben follows, cyd is a stranger."""

from __future__ import annotations

import functools
import itertools
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as site
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import User
from apps.mail.models import Letter
from tests.support.messaging import run_jobs


class QuickArgon2(Argon2PasswordHasher):
    """The hasher of the site, but quick: slow by design is for attackers, not for tests."""

    time_cost, memory_cost, parallelism = 1, 64, 1


PASSWORD = "amber-light-17"
_numbers = itertools.count(1)


def make_user(username: str = "", *, confirmed: bool = True, **fields: Any) -> User:
    """Store a person with the password PASSWORD; confirmed, unless the test is about that."""
    username = username or f"person{next(_numbers)}"
    fields.setdefault("email", f"{username}@example.org")
    fields.setdefault("confirmed_at", timezone.now() if confirmed else None)
    fields["email"] = fields["email"].lower()
    user = User.objects.create(username=username, password=_hashed(), **fields)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=confirmed)
    return user


@functools.cache
def _hashed() -> str:
    return make_password(PASSWORD, hasher=QuickArgon2())


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickArgon2"]


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada")


@pytest.fixture
def ben(db: None) -> User:
    return make_user("ben")


@pytest.fixture
def cyd(db: None) -> User:
    return make_user("cyd")


def letter_to(address: str) -> Letter:
    """Return the last letter to this address, after the jobs that write letters have run."""
    run_jobs(queue="default")
    letter = Letter.objects.filter(to=address).order_by("pk").last()
    assert letter is not None, f"nobody wrote to {address}"
    return letter


def link_in(letter: Letter) -> str:
    """Return where the button of a letter leads, as a path of this site."""
    found = re.search(rf"^{re.escape(site.SITE_URL)}(/\S+)$", letter.text, re.MULTILINE)
    assert found is not None, f"no link in {letter.text}"
    return found.group(1)


def log_in(client: Client, login: str = "ada", password: str = PASSWORD) -> Any:
    """Fill in the log-in form."""
    return client.post("/accounts/login/", {"login": login, "password": password})
