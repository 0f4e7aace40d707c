from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from apps import caching
from apps.accounts import selectors, services
from apps.accounts.models import User
from apps.accounts.validators import refuse_reserved
from apps.accounts.widgets import newest, person_header
from tests.support.accounts import make_user
from tests.support.caching import trace

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("nothing_is_stale", "nothing_is_undeclared"),
]


@pytest.mark.parametrize("name", ["ada", "Ada", "ADA"])
def test_a_person_is_found_however_the_name_is_written(ada: User, name: str) -> None:
    assert selectors.get_person(name) == ada


@pytest.mark.parametrize("name", ["nobody", "", "a\0a", "a" * 5000, "ад", "%", "ad_", "../ada"])
def test_nobody_is_found_by_a_name_that_nobody_has(ada: User, client: Client, name: str) -> None:
    with pytest.raises(User.DoesNotExist):
        selectors.get_person(name)


def test_who_is_not_confirmed_or_was_shut_out_has_no_page() -> None:
    make_user("new", confirmed=False)
    make_user("out", is_active=False)

    for name in ("new", "out"):
        with pytest.raises(User.DoesNotExist):
            selectors.get_person(name)


def test_the_newest_people_are_those_who_were_confirmed_last() -> None:
    now = timezone.now()
    for days, name in enumerate(["cyd", "ben", "ada"]):
        make_user(name, confirmed_at=now - timedelta(days=days))
    make_user("eve", confirmed=False)
    make_user("out", is_active=False)

    assert [person.username for person in selectors.list_newest_people(limit=2)] == ["cyd", "ben"]


def test_the_newest_people_are_one_query_of_no_more_than_what_is_shown() -> None:
    make_user("ada", display_name="Ada L.", avatar_renditions={"96.webp": "a1/00/0/96.webp"})
    make_user("ben")

    with trace() as seen:
        shown = newest.fresh()

    assert "Ada L." in shown
    assert "a1/00/0/96.webp" in shown
    [query] = seen.queries
    asked = query.partition(" FROM ")[0]
    assert asked.count(", ") == len(selectors.SHOWN)  # and the key
    for private in ("password", "email", "bio", "last_login"):
        assert f'"{private}"' not in asked


def test_before_there_is_anybody_the_widget_is_empty() -> None:
    assert newest() == ""
    assert person_header(0) == ""


def test_a_widget_shows_initials_or_the_avatar(ada: User) -> None:
    assert ">A</span>" in newest()

    User.objects.update(avatar_renditions={"96.webp": "a1/00/0/96.webp"})
    caching.invalidate("people")

    assert 'src="/media/renditions/a1/00/0/96.webp"' in newest()


@pytest.mark.django_db(transaction=True)
def test_who_is_confirmed_joins_the_newest_people() -> None:
    make_user("ada")
    ben = make_user("ben", confirmed=False)
    assert "ben" not in newest()

    services.confirm(person=ben)

    assert "ben" in newest()


def test_the_home_page_is_prefilled_with_the_newest_people(ada: User) -> None:
    newest.call()
    caching_calls = [
        call.name for call in __import__("apps.accounts.widgets").accounts.widgets.home()
    ]

    assert caching_calls == ["accounts.newest"]


class TestNames:
    @pytest.mark.parametrize(
        "name", ["admin", "ADMIN", "ad-min", "a_d_m_i_n", "no-reply", "noreply"]
    )
    def test_names_of_the_site_are_kept_for_it(self, name: str) -> None:
        with pytest.raises(ValidationError):
            refuse_reserved(name)

    @pytest.mark.parametrize("name", ["administratrix", "photographer", "ada", "helper"])
    def test_names_that_only_resemble_one_are_free(self, name: str) -> None:
        refuse_reserved(name)
