"""The environment is read strictly, and what is wrong is named without showing its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.environment import Environment, smtp_options, storage_options

env = Environment()


@pytest.fixture(autouse=True)
def _fresh_files() -> None:
    Environment.ENVIRON.files_cache.clear()


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("true", True), ("1", True), ("On", True), (" yes ", True), ("false", False), ("", False)],
)
def test_a_flag_is_a_word(monkeypatch: pytest.MonkeyPatch, word: str, meaning: bool) -> None:
    monkeypatch.setenv("FLAG", word)

    assert env.flag("FLAG", default=not meaning) is meaning


def test_a_misspelt_flag_is_refused_rather_than_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAG", "flase")

    with pytest.raises(ImproperlyConfigured, match="FLAG takes true or false"):
        env.flag("FLAG", default=True)


def test_a_flag_that_is_not_set_is_its_default() -> None:
    assert env.flag("NOT_SET_ANYWHERE", default=True) is True


def test_a_wrong_number_names_its_variable_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PHOTO_MAX_BYTES", "hunter2")

    with pytest.raises(ImproperlyConfigured) as caught:
        env.int("PHOTO_MAX_BYTES", default=1)

    assert str(caught.value) == "PHOTO_MAX_BYTES takes a whole number."


def test_one_of_some_words_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")

    assert env.choice("LOG_LEVEL", ["INFO", "WARNING"], default="INFO") == "WARNING"
    assert env.choice("NOT_SET_ANYWHERE", ["INFO", "WARNING"], default="INFO") == "INFO"


def test_another_word_is_refused_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")

    with pytest.raises(ImproperlyConfigured, match=r"^LOG_LEVEL takes INFO or WARNING\.$"):
        env.choice("LOG_LEVEL", ["INFO", "WARNING"], default="INFO")


def test_a_time_zone_is_one_that_the_machine_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_ZONE", "Europe/Vienna")

    assert env.time_zone("TIME_ZONE", default="UTC") == "Europe/Vienna"


@pytest.mark.parametrize("name", ["Nowhere/Land", "../etc/passwd", "Europe", ""])
def test_another_time_zone_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TIME_ZONE", name)

    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE takes the name of a time zone"):
        env.time_zone("TIME_ZONE", default="UTC")


def test_a_database_is_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://ada:p%40ss@db:5433/photos")

    entry = env.database("DATABASE_URL", default=tmp_path / "unused.sqlite3")

    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db", 5433, "photos")
    assert entry["PASSWORD"] == "p@ss"


@pytest.mark.parametrize(
    "address", ["nonsense", "db:5432/name", "https://db/name", "postgres://app@db:port/name"]
)
def test_another_database_is_refused_without_showing_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)

    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL ") as caught:
        env.database("DATABASE_URL", default=tmp_path / "unused.sqlite3")

    assert address not in str(caught.value)


def test_the_file_of_a_fresh_clone_has_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "a folder with + and %20" / "safelight.sqlite3"

    entry = env.database("NOT_SET_ANYWHERE", default=file)

    assert entry == {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    assert file.parent.is_dir()


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = "0123456789" * 6
    (tmp_path / "key").write_text(f"{secret}\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))

    assert env.secret("SECRET_KEY", default=None) == secret


def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE names a file"):
        env.secret("SECRET_KEY", default=None)


@pytest.mark.parametrize("value", ["", "short", "a" * 60])
def test_a_weak_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECRET_KEY", value)

    with pytest.raises(ImproperlyConfigured, match="50 random characters"):
        env.secret("SECRET_KEY", default=None)


def test_photos_are_kept_in_a_folder(tmp_path: Path) -> None:
    options = storage_options("originals", root=str(tmp_path), url="")

    assert options["OPTIONS"] == {"location": str(tmp_path / "originals"), "base_url": None}


def test_only_renditions_are_written_over(tmp_path: Path) -> None:
    options = storage_options("renditions", root=str(tmp_path), url="", base_url="/media/")

    assert options["OPTIONS"]["allow_overwrite"] is True


def test_photos_are_kept_in_a_bucket() -> None:
    entry = storage_options(
        "originals", root="/x", url="s3://key:s%2Fcret@photos/site?endpoint_url=http://minio:9000"
    )

    assert entry["BACKEND"] == "storages.backends.s3.S3Storage"
    assert entry["OPTIONS"] == {
        "bucket_name": "photos",
        "location": "site/originals",
        "access_key": "key",
        "secret_key": "s/cret",
        "file_overwrite": False,
        "endpoint_url": "http://minio:9000",
    }


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "bucket"])
def test_another_storage_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL"):
        storage_options("originals", root="/x", url=url)


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail", 25, False, False),
        ("smtp+tls://mail", 587, True, False),
        ("smtp+ssl://mail", 465, False, True),
        ("smtps://mail:2465", 2465, False, True),
    ],
)
def test_letters_are_handed_over_in_three_ways(url: str, port: int, tls: bool, ssl: bool) -> None:
    options = smtp_options(url)

    assert (options["port"], options["use_tls"], options["use_ssl"]) == (port, tls, ssl)


def test_a_mail_server_may_ask_for_a_password() -> None:
    options = smtp_options("smtp+tls://us%40example.org:p%2Fw@mail.example.org:587")

    assert (options["username"], options["password"]) == ("us@example.org", "p/w")


@pytest.mark.parametrize("url", ["", "mail:25", "http://mail", "smtp://", "smtp://mail:port"])
def test_another_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as caught:
        smtp_options(url)

    assert not url or url not in str(caught.value)
