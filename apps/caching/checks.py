"""Mistakes that are found at start rather than on a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from apps.caching.codecs import Uncacheable
from apps.caching.functions import functions
from apps.caching.options import Options, read_options
from apps.caching.rules import faults
from apps.caching.servers import Servers
from apps.caching.stores import open_store
from apps.caching.widgets import registry

SLOW = 1.0
MEMCACHED_BYTES, MEMCACHED_LEASE = 1_000_000, 2
LOOPBACK = re.compile(r"(?<=[/@])(?:localhost|\[::1\])(?=[:/]|$)")


def check_options(**_: Any) -> list[CheckMessage]:
    """E001: a key of `settings.CACHING` that cannot be used. E004: servers that cannot."""
    raw = getattr(settings, "CACHING", {})
    if found := faults(raw):
        return [
            Error(f"settings.CACHING is wrong: {fault}.", hint=fault.remedy, id="caching.E001")
            for fault in found
        ]
    try:
        Servers([open_store(url, timeout=1) for url in read_options(raw).servers])
    except (TypeError, ValueError) as error:
        return [
            Error(
                f"settings.CACHING names a server that cannot be used: {error}.",
                hint="SERVERS: redis://host:port/0, memcached://host:port or memory://, each once.",
                id="caching.E004",
            )
        ]
    return []


def check_questionable_options(**_: Any) -> list[CheckMessage]:
    """W002 to W006: what can be used and hardly is what was meant."""
    try:
        options = read_options(getattr(settings, "CACHING", {}))
    except ValueError:
        return []  # said by E001
    return [
        Warning(f"settings.CACHING: {what}", hint=hint, id=f"caching.{number}")
        for number, (is_so, what, hint) in DOUBTS.items()
        if is_so(options)
    ]


def _has_memcached(options: Options) -> bool:
    return any(url.startswith("memcached:") for url in options.servers)


def _looks_doubled(options: Options) -> bool:
    """Say whether two addresses differ by nothing but a name of this very machine."""
    plain = [LOOPBACK.sub("127.0.0.1", url, count=1) for url in options.servers]
    return len(set(plain)) < len(plain)


DOUBTS: dict[str, tuple[Callable[[Options], bool], str, str]] = {
    "W002": (
        lambda options: options.socket_timeout > SLOW,
        "SOCKET_TIMEOUT lets a server that is frozen hold up a page for longer than a second.",
        "A tenth of a second is plenty on one network.",
    ),
    "W003": (
        lambda options: options.max_bytes > MEMCACHED_BYTES and _has_memcached(options),
        "MAX_BYTES is more than Memcached takes unless it is told to.",
        "Start every Memcached with -I and a larger size, or leave it at a million.",
    ),
    "W004": (
        lambda options: options.lease_seconds < MEMCACHED_LEASE and _has_memcached(options),
        "LEASE_SECONDS is so short that Memcached, which counts whole seconds, may double it.",
        "Let it be 2 or more, and longer than the slowest computation.",
    ),
    "W005": (
        lambda options: options.jitter == 0,
        "JITTER is 0, so what was computed together expires together.",
        "A tenth spreads it.",
    ),
    "W006": (
        _looks_doubled,
        "SERVERS names one server by two addresses.",
        "Name it once: it would hold both parts of the keys, and be told of each change twice.",
    ),
}


def check_templates(**_: Any) -> list[CheckMessage]:
    """E002: a widget whose template is not there or cannot be read."""
    found: list[CheckMessage] = []
    for name, made in sorted(registry.items()):
        try:
            get_template(made.template_name)
        except (TemplateDoesNotExist, TemplateSyntaxError) as error:
            found.append(
                Error(
                    f'The template of the widget "{name}" cannot be used: {error}.',
                    hint=f"Write templates/{made.template_name}.",
                    obj=made,
                    id="caching.E002",
                )
            )
    return found


def check_values(**_: Any) -> list[CheckMessage]:
    """E003: a cached function that does not say what it returns, or returns what cannot travel."""
    found: list[CheckMessage] = []
    for function in functions.values():
        try:
            function.codec()
        except Uncacheable as error:
            found.append(
                Error(
                    f"The values of {function!r} cannot be stored: {error}.",
                    hint="Annotate the return type: a dataclass, a Struct, list, dict, str, None.",
                    obj=function,
                    id="caching.E003",
                )
            )
    return found


def check_shared(**_: Any) -> list[CheckMessage]:
    """W001: a cache that each process has for itself, on a site of several processes."""
    try:
        options = read_options(getattr(settings, "CACHING", {}))
    except ValueError:
        return []  # said by E001
    if not any(url.startswith("memory:") for url in options.servers):
        return []
    return [
        Warning(
            "The cache is in memory: a change made in one process stays unseen in the others.",
            hint="Set CACHE_URL to a redis:// or memcached:// server.",
            id="caching.W001",
        )
    ]


ALWAYS = (check_options, check_questionable_options, check_templates, check_values)
