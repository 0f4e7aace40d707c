"""Each wrong setting is a check with an id and a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from apps.operations.checks import check_settings

PUBLIC: dict[str, Any] = {
    "DEBUG": False,
    "SITE_URL": "https://photos.example.org",
    "ALLOWED_HOSTS": ["photos.example.org"],
    "DEFAULT_FROM_EMAIL": "Photos <noreply@example.org>",
    "MAIL_SERVER": {"host": "mail.example.org", "port": 587, "timeout": 30},
    "CACHING": {"SERVERS": ["redis://cache:6379/0"], "PREFIX": "x", "VERSION": "1"},
    "BROKER_URL": "amqp://broker",
    "INBOX_DIR": "",
    "WEBHOOKS": {"ALLOW_PRIVATE_NETWORKS": False},
}


@pytest.fixture
def public(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a site on the open net that nothing is wrong with."""
    for name, value in PUBLIC.items():
        setattr(settings, name, value)
    settings.MEDIA_ROOT = str(tmp_path)
    return settings


def ids() -> list[str | None]:
    return [message.id for message in check_settings()]


def test_a_public_site_set_up_well_hears_nothing(public: Settings) -> None:
    assert check_settings() == []


def test_the_checks_are_registered() -> None:
    assert check_settings() == run_checks(tags=["safelight"])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SITE_URL", "photos.example.org", "safelight.E001"),
        ("SITE_URL", "ftp://photos.example.org", "safelight.E001"),
        ("SITE_URL", "https://", "safelight.E001"),
        ("LIVE_URL", "live", "safelight.E002"),
        ("CACHING", {"SERVERS": ["http://cache"]}, "safelight.E003"),
        ("CACHING", {"SERVERS": ["redis://a:6379", "cache:11211"]}, "safelight.E003"),
        ("BROKER_URL", "kafka://broker", "safelight.E004"),
        ("BROKER_URL", "redis://cache:6379/0", "safelight.W005"),
        ("PHOTO_MAX_BYTES", 0, "safelight.E006"),
        ("PHOTO_MAX_PIXELS", -1, "safelight.E006"),
        ("PHOTO_MAX_SECONDS", 0, "safelight.E006"),
        ("PHOTOS_PER_UPLOAD", 0, "safelight.E006"),
        ("MEDIA_ROOT", "/dev/null/photos", "safelight.E007"),
        ("SITE_URL", "http://photos.example.org", "safelight.W008"),
        ("SITE_URL", "https://localhost", "safelight.W009"),
        ("ALLOWED_HOSTS", ["*"], "safelight.E010"),
        ("CACHING", {"SERVERS": ["memory://"]}, "safelight.E012"),
        ("MAIL_SERVER", {"host": "127.0.0.1", "port": 1025, "timeout": 30}, "safelight.W013"),
        ("DEFAULT_FROM_EMAIL", "Photos <noreply@localhost>", "safelight.W014"),
        ("INBOX_DIR", "/var/inbox", "safelight.W015"),
        ("AVATAR_MAX_BYTES", 0, "safelight.E016"),
        ("UNCONFIRMED_DAYS", 0, "safelight.E017"),
        ("MAIL_SERVER", {"host": "mail", "port": 25, "timeout": 0}, "safelight.E018"),
        ("EMAIL_ANSWER_TIMEOUT", -1, "safelight.E018"),
        ("MESSAGING", {"LEASE_SECONDS": 0}, "safelight.E018"),
        ("MESSAGING", {"SWEEP_SECONDS": -2}, "safelight.E018"),
        ("ALLOWED_HOSTS", ["https://photos.example.org"], "safelight.E019"),
        ("ALLOWED_HOSTS", ["photos.example.org:8000"], "safelight.E019"),
        ("DEFAULT_FROM_EMAIL", "Photos", "safelight.E020"),
        ("NOTIFICATION_DAYS", 0, "safelight.E022"),
        ("WEBHOOKS", {"ALLOW_PRIVATE_NETWORKS": True}, "safelight.W021"),
    ],
)
def test_a_wrong_setting_is_named(
    public: Settings, name: str, value: object, expected: str
) -> None:
    setattr(public, name, value)

    assert ids() == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", [".example.org", "[::1]"]),
        ("DEFAULT_FROM_EMAIL", "noreply@example.org"),
    ],
)
def test_each_way_to_say_it_right_is_heard(public: Settings, name: str, value: object) -> None:
    setattr(public, name, value)

    assert ids() == []


def test_every_complaint_says_what_to_do(public: Settings) -> None:
    public.SITE_URL = "nowhere"
    public.BROKER_URL = "nowhere"
    public.PHOTO_MAX_BYTES = 0

    assert all(message.hint for message in check_settings())


def test_sqlite_does_not_carry_a_public_site(
    public: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(public.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")

    assert ids() == ["safelight.E011"]


def test_what_is_fine_for_development_is_not_a_complaint(public: Settings) -> None:
    public.DEBUG = True
    public.SITE_URL = "http://localhost:8000"
    public.INBOX_DIR = "/var/inbox"
    public.CACHING = {"SERVERS": ["memory://"]}

    assert check_settings() == []


def test_a_bucket_needs_no_folder(public: Settings) -> None:
    public.MEDIA_ROOT = "/dev/null/photos"
    public.STORAGE_URL = "s3://bucket"

    assert check_settings() == []
