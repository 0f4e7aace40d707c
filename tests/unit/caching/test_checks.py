"""Mistakes of a site that uses the layer, found when it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db.models import QuerySet
from pytest_django import Settings

from apps import caching
from apps.accounts.models import User
from apps.caching import checks
from apps.caching.engine import engine
from apps.caching.functions import functions
from apps.caching.options import Options, read_options
from apps.caching.widgets import registry

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    known, named = dict(functions), dict(registry)
    functions.clear()
    registry.clear()
    yield
    functions.clear()
    functions.update(known)
    registry.clear()
    registry.update(named)


def ids(check: Callable[..., list[CheckMessage]]) -> list[str | None]:
    found = check()
    assert all(message.hint for message in found)
    return [message.id for message in found]


@pytest.mark.parametrize(
    "wrong",
    [
        {"SERVERS": []},
        {"SERVERS": ["http://cache"]},
        {"SERVERS": ["memory://a", "memory://a"]},
        {"PREFIX": "with space"},
        {"PREFIX": "p" * 33},
        {"VERSION": ""},
        {"TIMEOUT": 300},
        {"DURABLE": "no"},
        {"SWEEP_SECONDS": 0},
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error(settings: Settings, wrong: Any) -> None:
    settings.CACHING = {"SERVERS": ["memory://"], **wrong}

    assert ids(checks.check_options) == ["caching.E001"]


def test_a_setting_that_can_be_used_is_none(settings: Settings) -> None:
    settings.CACHING = {"SERVERS": ["memory://"], "PREFIX": "sl", "VERSION": "0.1.0"}

    assert ids(checks.check_options) == []


def test_without_a_setting_there_are_defaults(settings: Settings) -> None:
    del settings.CACHING

    assert read_options({}) == Options()
    assert engine().options == Options()


def test_another_setting_is_another_engine(settings: Settings) -> None:
    before = engine()
    settings.CACHING = {**settings.CACHING, "PREFIX": "other"}

    assert engine().keys.prefix == "other"
    assert engine() is engine()
    assert engine().servers is before.servers


def test_a_widget_without_a_template_is_an_error() -> None:
    @caching.widget("shop.nothing", timeout=MINUTE)
    def nothing() -> dict[str, object]:
        return {}

    assert ids(checks.check_templates) == ["caching.E002"]


def test_a_template_that_cannot_be_read_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "shop" / "widgets").mkdir(parents=True)
    (tmp_path / "shop" / "widgets" / "broken.html").write_text("{% if %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    @caching.widget("shop.broken", timeout=MINUTE)
    def broken() -> dict[str, object]:
        return {}

    assert ids(checks.check_templates) == ["caching.E002"]


def test_a_value_that_cannot_travel_is_an_error() -> None:
    @caching.cached(timeout=MINUTE)
    def list_users() -> QuerySet[User]:
        return User.objects.all()

    @caching.cached(timeout=MINUTE)
    def fine() -> list[str]:
        return []

    assert ids(checks.check_values) == ["caching.E003"]


def test_a_type_that_is_not_there_is_an_error() -> None:
    @caching.cached(timeout=MINUTE)
    def get() -> Missing:  # type: ignore[name-defined]  # noqa: F821
        return 1

    assert ids(checks.check_values) == ["caching.E003"]
    assert get() == 1  # type: ignore[comparison-overlap] # a page is shown all the same


def test_a_cache_of_one_process_is_a_warning(settings: Settings) -> None:
    settings.CACHING = {"SERVERS": ["memory://"]}
    assert ids(checks.check_shared) == ["caching.W001"]

    settings.CACHING = {"SERVERS": ["redis://cache"]}
    assert ids(checks.check_shared) == []
