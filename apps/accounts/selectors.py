"""What pages read about people."""

from __future__ import annotations

import re

from django.db.models import Q

from apps.accounts.models import User
from apps.accounts.validators import USERNAME

NEWEST = 8
# What is shown of a person in a list: the name, the link and the picture.
SHOWN = ("username", "display_name", "avatar_renditions")


def get_person(username: str) -> User:
    """Return the person whose page this is, however the name is capitalised in the address.

    Raises User.DoesNotExist also for somebody who is not confirmed or was shut out: whoever has
    not proved an address has no page to fill.
    """
    # An address holds any letters, and the database refuses some of them with an error.
    if not re.fullmatch(USERNAME, username):
        raise User.DoesNotExist(username)
    return User.objects.confirmed().named(username).get()


def list_newest_people(*, limit: int = NEWEST) -> list[User]:
    """Return those who were confirmed last, newest first, with no more than what is shown."""
    return list(User.objects.confirmed().only(*SHOWN).order_by("-confirmed_at", "-pk")[:limit])


def find_person_to_log_in(login: str) -> User | None:
    """Return whom somebody may mean who wants to log in, confirmed or not: one query for all."""
    by_address = Q(email=login.lower())
    return User.objects.filter(by_address if "@" in login else Q(username__iexact=login)).first()
