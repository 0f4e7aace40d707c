"""Mistakes of a site that uses the layer, found when it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
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
from apps.caching.rules import RULES
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
        {"SERVERS": "redis://cache"},
        {"SERVERS": [6379]},
        {"SERVERS": None},
        {"PREFIX": "with space"},
        {"PREFIX": "p" * 33},
        {"PREFIX": 1},
        {"VERSION": ""},
        {"VERSION": "t"},
        {"TIMEOUT": 300},
        {"SOCKET_TIMEOUT": 0},
        {"SOCKET_TIMEOUT": -1},
        {"SOCKET_TIMEOUT": 61},
        {"SOCKET_TIMEOUT": "0.1"},
        {"SOCKET_TIMEOUT": True},
        {"SOCKET_TIMEOUT": float("nan")},
        {"COMPRESS_FROM": -1},
        {"COMPRESS_FROM": 2.5},
        {"MAX_BYTES": 0},
        {"MAX_BYTES": 1 << 40},
        {"MAX_BYTES": "1MB"},
        {"JITTER": -0.1},
        {"JITTER": 1},
        {"JITTER": float("nan")},
        {"LEASE_SECONDS": 0},
        {"BACKGROUND_THREADS": -1},
        {"BACKGROUND_THREADS": 65},
        {"BACKGROUND_THREADS": 1.5},
        {"BACKGROUND_THREADS": True},
        {"REPORT_SECONDS": -1},
        {"REPORT_SECONDS": None},
        {"DURABLE": "no"},
        {"DURABLE": 1},
        {"SWEEP_SECONDS": 0},
        {"ORIGINS": "https://example.org"},
        {"ORIGINS": ["example.org"]},
        {"ORIGINS": ["https://example.org/path"]},
        {"HEADER": "with space"},
        {"REWRITE_QUEUE": None},
        {"REWRITE_SECONDS": 0},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_used_is_an_error(settings: Settings, wrong: Any) -> None:
    settings.CACHING = {"SERVERS": ["memory://"], **wrong}

    (found,) = checks.check_options()

    assert found.id == "caching.E001"
    assert next(iter(wrong)) in found.msg
    assert found.hint
    with pytest.raises(ValueError, match=next(iter(wrong))):
        read_options(settings.CACHING)


def test_every_wrong_setting_is_named_at_once(settings: Settings) -> None:
    settings.CACHING = {"SERVERS": [], "JITTER": 2, "LEASE": 1}

    assert ids(checks.check_options) == ["caching.E001"] * 3


def test_a_setting_that_is_no_mapping_is_an_error(settings: Settings) -> None:
    settings.CACHING = ["redis://cache"]

    assert ids(checks.check_options) == ["caching.E001"]
    assert ids(checks.check_questionable_options) == []
    assert ids(checks.check_shared) == []


def test_a_password_is_not_shown(settings: Settings) -> None:
    settings.CACHING = {"SERVERS": "redis://:hunter2@cache"}
    assert "hunter2" not in str(checks.check_options())

    settings.CACHING = {"SERVERS": ["redis://:hunter2@cache/path"]}
    assert "hunter2" not in str(checks.check_options())


def test_every_option_has_a_rule_and_its_default_keeps_it() -> None:
    assert set(RULES) == {field.name for field in fields(Options)}
    assert all(RULES[field.name].holds(getattr(Options(), field.name)) for field in fields(Options))


def test_options_made_by_hand_keep_the_rules_too() -> None:
    with pytest.raises(ValueError, match="JITTER"):
        Options(jitter=3)


@pytest.mark.parametrize(
    "servers",
    [
        ["http://cache"],
        ["redis://"],
        ["cache:6379"],
        ["memory://a", "memory://a"],
        ["redis://cache/0", "valkey://:secret@cache:6379/0"],
        ["redis://cache:port/0"],
        ["redis://cache:99999/0"],
        ["redis://cache/zero"],
        ["redis://cache/0?db=1"],
        ["memcached://cache/0"],
        ["memcached://user:secret@cache"],
    ],
    ids=str,
)
def test_a_server_that_cannot_be_used_is_an_error(settings: Settings, servers: list[str]) -> None:
    settings.CACHING = {"SERVERS": servers}

    assert ids(checks.check_options) == ["caching.E004"]


@pytest.mark.parametrize(
    ("doubtful", "identifier"),
    [
        ({"SOCKET_TIMEOUT": 3}, "caching.W002"),
        ({"SERVERS": ["memcached://a"], "MAX_BYTES": 2_000_000}, "caching.W003"),
        ({"SERVERS": ["memcached://a"], "LEASE_SECONDS": 1}, "caching.W004"),
        ({"JITTER": 0}, "caching.W005"),
        ({"SERVERS": ["redis://localhost/0", "redis://127.0.0.1/0"]}, "caching.W006"),
        ({"SERVERS": ["redis://:a@localhost:1/0", "redis://:a@[::1]:1/0"]}, "caching.W006"),
    ],
)
def test_a_setting_that_is_hardly_meant_is_a_warning(
    settings: Settings, doubtful: dict[str, object], identifier: str
) -> None:
    settings.CACHING = {"SERVERS": ["redis://cache/0"], **doubtful}

    assert ids(checks.check_options) == []
    assert ids(checks.check_questionable_options) == [identifier]


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"MAX_BYTES": 2_000_000},
        {"LEASE_SECONDS": 1},
        {"SERVERS": ["redis://localhost/0", "redis://localhost/1"]},
        {"SERVERS": ["redis://localhosts/0", "redis://127.0.0.1/0"]},
        {"SERVERS": ["memcached://a", "redis://a", "unix:///run/valkey.sock?db=1"]},
    ],
    ids=str,
)
def test_a_setting_that_may_well_be_meant_is_none(
    settings: Settings, fine: dict[str, object]
) -> None:
    settings.CACHING = {"SERVERS": ["redis://cache/0"], **fine}

    assert ids(checks.check_options) == []
    assert ids(checks.check_questionable_options) == []


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

    settings.CACHING = {}  # which is the same
    assert ids(checks.check_shared) == ["caching.W001"]

    settings.CACHING = {"SERVERS": ["redis://cache"]}
    assert ids(checks.check_shared) == []
