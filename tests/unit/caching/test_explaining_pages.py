"""A whole page is explained by its address, as an anonymous visitor would ask for it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from apps.caching.learning import guesses
from tests.support.races import write
from tests.support.views import renderings, shelf

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "http://testserver"


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.support.shelf_urls"
    settings.CACHING = {**settings.CACHING, "ORIGINS": [ORIGIN]}
    settings.ALLOWED_HOSTS = ["testserver", "other"]


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="old")


def explain(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command("explain_cache", *words, "--json", stdout=out)
    found: dict[str, object] = json.loads(out.getvalue())
    return found


def test_a_page_that_a_visitor_was_shown_is_fresh(group: Group) -> None:
    Client().get(f"/shelf/{group.pk}/?sort=new")

    found = explain(f"/shelf/{group.pk}/?sort=new")

    assert found["state"] == "fresh"
    assert found["call"] == f"/shelf/{group.pk}/?sort=new by {shelf.name}"
    assert explain(f"{ORIGIN}/shelf/{group.pk}/?sort=new")["key"] == found["key"]
    assert explain(f"/shelf/{group.pk}/?sort=old")["state"] == "absent"
    assert explain(f"https://testserver/shelf/{group.pk}/?sort=new")["state"] == "absent"
    assert explain(f"http://other/shelf/{group.pk}/?sort=new")["state"] == "absent"


def test_a_process_that_never_saw_the_page_learns_its_tags(group: Group) -> None:
    Client().get(f"/shelf/{group.pk}/")
    guesses.forget_all()

    found = explain(f"/shelf/{group.pk}/")

    assert found["state"] == "fresh"
    assert f"group:{group.pk}" in str(found["tags"])


def test_an_outdated_page_names_what_has_changed(group: Group) -> None:
    Client().get(f"/shelf/{group.pk}/")
    write(group, "new")
    guesses.forget_all()

    found = explain(f"/shelf/{group.pk}/")

    assert found["state"] == "outdated"
    assert found["outdated_by"] == [f"group:{group.pk}"]


def test_explaining_a_page_does_not_make_it(group: Group) -> None:
    renderings.clear()

    explain(f"/shelf/{group.pk}/")

    assert renderings == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/nothing/"], "no page has the address"),
        (["/bare/"], "is not cached"),
        (["/shelf/1/?other=1"], "past the cache"),
        (["/shelf/1/", "2"], "no arguments"),
        (["views.shelf", "1"], "name the address"),
        (["http://elsewhere/shelf/1/"], "ALLOWED_HOSTS"),
    ],
)
def test_what_is_typed_wrongly_ends_with_two(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as failure:
        explain(*words)

    assert failure.value.returncode == 2


def test_a_path_alone_needs_an_origin(settings: Settings) -> None:
    settings.CACHING = {**settings.CACHING, "ORIGINS": []}

    with pytest.raises(CommandError, match="name the whole address"):
        explain("/counted/")


def test_while_developing_each_process_has_its_own(settings: Settings) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match="with DEBUG"):
        explain("/counted/")


def test_pages_are_listed_with_the_rest() -> None:
    listed = explain()["functions"]

    assert isinstance(listed, list)
    (one,) = [one for one in listed if one["name"] == shelf.name]
    assert one["kind"] == "page"


def test_all_pages_of_a_view_may_be_made_out_of_date(group: Group) -> None:
    Client().get(f"/shelf/{group.pk}/")

    call_command("invalidate_cache", "--function", "views.shelf", stdout=StringIO())

    assert explain(f"/shelf/{group.pk}/")["outdated_by"] == ["(this function)"]
