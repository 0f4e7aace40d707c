"""Environment variables, read strictly: a wrong value stops the start and names its variable."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

TRUE = frozenset({"1", "true", "yes", "on"})
SECRET_LENGTH, SECRET_VARIETY = 50, 5  # as Django's own security.W009 asks
DATABASES = frozenset({"postgres", "postgresql", "psql", "pgsql", "sqlite"})
SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465, "smtps": 465}
FALSE = frozenset({"0", "false", "no", "off", ""})


class _StrippedFiles(FileAwareMapping):  # type: ignore[misc]
    """`NAME_FILE` names a file with the value; editors and `echo` end files with a newline."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.rstrip("\r\n") if self.env.get(f"{key}_FILE") else value


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """django-environ, with secrets from files and errors that an operator can act on.

    Raises ImproperlyConfigured, with the name of the variable and what it takes, never the value:
    it may be a secret.
    """

    ENVIRON = _StrippedFiles()
    kinds: ClassVar[dict[object, str]] = {int: "a whole number", float: "a number"}

    def get_value(self, var: str, cast: Any = None, **rest: Any) -> Any:
        try:
            return super().get_value(var, cast=cast, **rest)
        except OSError as error:
            raise ImproperlyConfigured(
                f"{var}_FILE names a file that cannot be read: {error.strerror}."
            ) from error
        except (ValueError, TypeError) as error:
            kind = self.kinds.get(cast, "another kind of value")
            raise ImproperlyConfigured(f"{var} takes {kind}.") from error

    def flag(self, var: str, *, default: bool) -> bool:
        """Return a boolean; unlike `bool`, a misspelt `flase` is refused rather than false."""
        value = self.get_value(var, cast=str, default=str(default))
        word = str(value).strip().lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        raise ImproperlyConfigured(f"{var} takes true or false.")

    def choice(self, var: str, words: Sequence[str], *, default: str) -> str:
        """Return one of some words, as they are written here; the case does not matter."""
        value = str(self.get_value(var, cast=str, default=default)).strip()
        for word in words:
            if word.lower() == value.lower():
                return word
        raise ImproperlyConfigured(f"{var} takes {' or '.join(words)}.")

    def time_zone(self, var: str, *, default: str) -> str:
        """Return the name of a time zone that this machine knows."""
        value = str(self.get_value(var, cast=str, default=default)).strip()
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ImproperlyConfigured(
                f"{var} takes the name of a time zone, such as Europe/Vienna."
            ) from error
        return value

    def database(self, var: str, *, default: Path) -> dict[str, Any]:
        """Return the entry of DATABASES for an address; by default an SQLite file."""
        address = str(self.get_value(var, cast=str, default="")).strip()
        if not address:
            # SQLite makes the file, but not its folder, which a fresh clone does not have.
            with contextlib.suppress(OSError):
                default.parent.mkdir(exist_ok=True)
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        if urlsplit(address).scheme not in DATABASES:
            raise ImproperlyConfigured(f"{var} takes postgres://user:password@host:5432/name.")
        try:
            return dict(self.db_url_config(address))
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} has a host or a port that is none.") from error

    def secret(self, var: str, *, default: str | None) -> str:
        """Return a secret; without a default it must be set, long and not one letter repeated."""
        value = self.get_value(var, default=default or "")
        if value != default and (len(value) < SECRET_LENGTH or len(set(value)) < SECRET_VARIETY):
            raise ImproperlyConfigured(
                f"Set {var}, or {var}_FILE, to {SECRET_LENGTH} random characters or more."
            )
        return str(value)


def storage_options(
    name: str, *, root: str, url: str, base_url: str | None = None
) -> dict[str, Any]:
    """Return the entry of STORAGES for one kind of file: a folder, or a prefix of an S3 bucket.

    `url` is empty, or `s3://key:secret@bucket/prefix?endpoint_url=…&region_name=…`; credentials may
    be left out where the machine has a role of its own. Raises ImproperlyConfigured for another.
    """
    if not url:
        options: dict[str, Any] = {"location": str(Path(root) / name), "base_url": base_url}
        if base_url:
            # Names are made from the contents: the same name is the same file, made again.
            options["allow_overwrite"] = True
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname:
        raise ImproperlyConfigured("STORAGE_URL takes s3://key:secret@bucket/prefix, or nothing.")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "location": f"{parts.path.strip('/')}/{name}".lstrip("/"),
            "access_key": unquote(parts.username) if parts.username else None,
            "secret_key": unquote(parts.password) if parts.password else None,
            "file_overwrite": base_url is not None,
            **dict(parse_qsl(parts.query)),
        },
    }


def smtp_options(url: str) -> dict[str, Any]:
    """Return where letters are handed over: the arguments of Django's SMTP backend.

    `url` is `smtp://`, `smtp+tls://` (STARTTLS) or `smtp+ssl://`, with `user:password@host:port`.
    Raises ImproperlyConfigured for another; the message does not repeat it, for it has a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL takes smtp+tls://user:password@host:port.")
    try:
        port = parts.port or SMTP_PORTS[parts.scheme]
    except ValueError as error:
        raise ImproperlyConfigured("EMAIL_URL has a port that is none.") from error
    return {
        "host": parts.hostname,
        "port": port,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": parts.scheme == "smtp+tls",
        "use_ssl": parts.scheme in {"smtps", "smtp+ssl"},
    }
