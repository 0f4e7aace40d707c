"""What is wrong with the settings, said before a visitor finds out.

`manage.py check` and the start of every process run these. Each has an id, a hint with the
variable to change, and a test. With DEBUG off an error stops the start (see project/starting.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

CATCHER_PORT = 1025
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", ""})
CACHE_SCHEMES = frozenset({"redis", "rediss", "valkey", "unix", "memcached", "memory"})
BROKER_SCHEMES = frozenset({"redis", "rediss", "amqp", "amqps", "sentinel"})
PHOTO_LIMITS = ("PHOTO_MAX_BYTES", "PHOTO_MAX_PIXELS", "PHOTO_MAX_SECONDS", "PHOTOS_PER_UPLOAD")


def check_settings(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001 - the checks framework passes it
    **_: Any,
) -> list[CheckMessage]:
    """Return every complaint about the settings of the site."""
    return [
        *_check_addresses(),
        *_check_servers(),
        *_check_limits(),
        *_check_files(),
        *([] if settings.DEBUG else [*_check_public_addresses(), *_check_public_servers()]),
    ]


def _error(number: int, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"safelight.E{number:03}")


def _warning(number: int, text: str, hint: str) -> Warning:
    return Warning(text, hint=hint, id=f"safelight.W{number:03}")


def _is_web_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query


def _check_addresses() -> Iterator[CheckMessage]:
    if not _is_web_address(settings.SITE_URL):
        yield _error(
            1,
            "SITE_URL is not the address of a site.",
            "Give scheme and host, such as https://photos.example.org; letters link to it.",
        )
    if settings.LIVE_URL and not _is_web_address(settings.LIVE_URL):
        yield _error(
            2,
            "LIVE_URL is not an address.",
            "Leave LIVE_URL empty where a proxy sends /live/ to the live process.",
        )
    for host in settings.ALLOWED_HOSTS:
        if re.search(r"/|:\d+$", host):
            yield _error(
                19,
                "ALLOWED_HOSTS holds something that is no host name, so it lets nobody in.",
                "Give names alone, as in photos.example.org: no scheme, no port, no path.",
            )
    if not _is_sender(settings.DEFAULT_FROM_EMAIL):
        yield _error(
            20,
            "DEFAULT_FROM_EMAIL is no mail address.",
            "Give an address, with or without a name: Photos <noreply@example.org>.",
        )


def _is_sender(text: str) -> bool:
    address = parseaddr(text)[1]
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def _check_servers() -> Iterator[CheckMessage]:
    for url in settings.CACHING["SERVERS"]:
        if urlsplit(url).scheme not in CACHE_SCHEMES:
            yield _error(
                3,
                "CACHE_URL names a kind of server that the cache does not speak to.",
                f"Use one of {', '.join(sorted(CACHE_SCHEMES))}, as in redis://cache:6379/0.",
            )
    if urlsplit(settings.BROKER_URL).scheme not in BROKER_SCHEMES:
        yield _error(
            4,
            "BROKER_URL names a kind of server that the queue does not speak to.",
            "Use redis://host:6379/1 or amqp://user:password@host:5672//.",
        )
    if settings.BROKER_URL in settings.CACHING["SERVERS"]:
        yield _warning(
            5,
            "The cache and the message queue share one Redis database.",
            "A cache may forget anything, a queue nothing: give BROKER_URL a server of its own.",
        )


def _check_limits() -> Iterator[CheckMessage]:
    for name in PHOTO_LIMITS:
        if getattr(settings, name) <= 0:
            yield _error(6, f"{name} leaves no room for any photo.", f"Set {name} above zero.")
    if settings.AVATAR_MAX_BYTES <= 0:
        yield _error(16, "AVATAR_MAX_BYTES leaves no room for any avatar.", "Set it above zero.")
    if settings.UNCONFIRMED_DAYS < 1:
        yield _error(
            17,
            "UNCONFIRMED_DAYS forgets people before their letter can have come.",
            "Give UNCONFIRMED_DAYS a day or more.",
        )
    if settings.NOTIFICATION_DAYS < 1:
        yield _error(
            22,
            "NOTIFICATION_DAYS forgets what people have only just seen.",
            "Give NOTIFICATION_DAYS a day or more.",
        )
    for name, seconds in _waits().items():
        if seconds <= 0:
            yield _error(18, f"{name} is no time to wait.", f"Set {name} above zero.")


def _waits() -> dict[str, float]:
    """Return what is measured in seconds (or days), by the name of its variable."""
    return {
        "EMAIL_TIMEOUT": settings.MAIL_SERVER["timeout"],
        "EMAIL_ANSWER_TIMEOUT": settings.EMAIL_ANSWER_TIMEOUT,
        **{
            name if name.startswith("EVENT_") else f"JOB_{name}": number
            for name, number in settings.MESSAGING.items()
            if not isinstance(number, str)
        },
    }


def _check_files() -> Iterator[CheckMessage]:
    if settings.STORAGE_URL:
        return
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield _error(
            7,
            "The folder of the photos cannot be written to.",
            "Point MEDIA_ROOT at a folder that the user of the web and image processes owns.",
        )


def _check_public_addresses() -> Iterator[CheckMessage]:
    if urlsplit(settings.SITE_URL).scheme == "http":
        yield _warning(
            8,
            "SITE_URL is plain http: passwords and cookies can be read on the way.",
            "Put a proxy with a certificate in front and set SITE_URL to its https address.",
        )
    if urlsplit(settings.SITE_URL).hostname in LOCAL_HOSTS:
        yield _warning(
            9,
            "SITE_URL names this machine, so the links in letters work nowhere else.",
            "Set SITE_URL to the address that people type.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield _error(
            10,
            "ALLOWED_HOSTS lets anyone choose the host of the links in letters.",
            "List the host names of the site, or leave ALLOWED_HOSTS to follow SITE_URL.",
        )
    if settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        yield _warning(
            14,
            "Letters come from @localhost and will be refused or filed as spam.",
            "Set DEFAULT_FROM_EMAIL to an address of your domain.",
        )


def _check_public_servers() -> Iterator[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield _error(
            11,
            "SQLite cannot carry several processes that write.",
            "Set DATABASE_URL to postgres://user:password@host:5432/name.",
        )
    if any(urlsplit(url).scheme == "memory" for url in settings.CACHING["SERVERS"]):
        yield _error(
            12,
            "A cache in the memory of one process goes stale in all others.",
            "Set CACHE_URL to redis://host:6379/0 or memcached://host:11211.",
        )
    if settings.MAIL_SERVER["host"] in LOCAL_HOSTS and settings.MAIL_SERVER["port"] == CATCHER_PORT:
        yield _warning(
            13,
            "EMAIL_URL is not set: letters go to a port where a mail catcher might listen.",
            "Set EMAIL_URL to smtp+tls://user:password@host:587.",
        )
    if settings.INBOX_DIR:
        yield _warning(
            15,
            "INBOX_DIR is for development; the inbox page stays closed.",
            "Remove INBOX_DIR from the environment.",
        )
    if settings.WEBHOOKS["ALLOW_PRIVATE_NETWORKS"]:
        yield _warning(
            21,
            "Webhooks may call any machine that the workers reach, also inside your network.",
            "Set WEBHOOKS_ALLOW_PRIVATE_NETWORKS=false unless every webhook is your own.",
        )
