"""Look at a page as somebody."""

from __future__ import annotations

import re

from django.test import Client

from apps.accounts.models import User
from tests.support.accounts import make_user
from tests.support.caching import Trace


def page_of(client: Client, address: str, *, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return str(response.content.decode())


def logged_in(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def the_one(who: str, owner: User) -> User | None:
    if who == "nobody":
        return None
    if who == "owner":
        return owner
    return make_user("cyd" if who == "stranger" else "root", is_staff=who == "staff")


def cards_in(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('data-photo="')[1:]]


def steps(seen: Trace) -> list[str]:
    """The lines of a trace with cached functions by their plain names."""
    return [re.sub(r"apps\.\w+\.selectors\.(\w+\.)?(?=\w)", "", line) for line in seen.lines]
