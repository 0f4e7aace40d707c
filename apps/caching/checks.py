"""Mistakes that are found at start rather than on a page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from apps.caching.codecs import Uncacheable
from apps.caching.functions import functions
from apps.caching.options import read_options
from apps.caching.servers import connect
from apps.caching.widgets import registry


def check_options(**_: Any) -> list[CheckMessage]:
    """E001: `settings.CACHING` cannot be used."""
    try:
        options = read_options(getattr(settings, "CACHING", {}))
        connect(options.servers, options.socket_timeout)
    except (TypeError, ValueError) as error:
        return [
            Error(
                f"settings.CACHING is wrong: {error}.",
                hint="SERVERS is a list of redis://host:port/0, memcached://host:port or memory://.",
                id="caching.E001",
            )
        ]
    return []


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
    servers = getattr(settings, "CACHING", {}).get("SERVERS", [])
    if not any(str(url).startswith("memory:") for url in servers):
        return []
    return [
        Warning(
            "The cache is in memory: a change made in one process stays unseen in the others.",
            hint="Set CACHE_URL to a redis:// or memcached:// server.",
            id="caching.W001",
        )
    ]
