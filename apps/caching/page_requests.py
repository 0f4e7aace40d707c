"""Which requests are answered with the common page, and what that page may know of them.

A page for everybody is computed from a request that carries nothing of the visitor: no cookie, no
header, no session, no parameter but the declared ones. What is not there cannot end up in it. Each
declared parameter and cookie has a short list of values, so nobody can fill the cache by inventing
some.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.urls import ResolverMatch
from django.utils import translation

Choices = Mapping[str, Collection[str]]

# What others hang on a link to a page, for their own statistics.
TRACKERS = re.compile(r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid|ref_src")


def why_personal(request: HttpRequest, origins: Collection[str]) -> str:
    """Say why this request gets a page of its own; "" if the common one will do."""
    # A session is not opened to find out whose it is: that would be a query for every page.
    marks = {settings.SESSION_COOKIE_NAME, "messages"}
    user, session = getattr(request, "user", None), getattr(request, "session", None)
    reasons: dict[str, Callable[[], bool]] = {
        "method": lambda: request.method not in {"GET", "HEAD"},
        "authorization": lambda: "HTTP_AUTHORIZATION" in request.META,
        "session": lambda: not marks.isdisjoint(request.COOKIES),
        "user": lambda: user is not None and bool(user.is_authenticated),
        "changed session": lambda: session is not None and bool(session.modified),
        "origin": lambda: bool(origins) and _origin(request) not in origins,
    }
    return next((why for why, holds in reasons.items() if holds()), "")


def chosen_parameters(request: HttpRequest, declared: Choices) -> dict[str, str] | None:
    """Return the declared parameters of the address; None if it has any other, or another value."""
    chosen: dict[str, str] = {}
    for name, values in request.GET.lists():
        if name in declared:
            if len(values) != 1 or values[0] not in declared[name]:
                return None
            chosen[name] = str(values[0])
        elif not TRACKERS.fullmatch(name):
            return None
    return dict(sorted(chosen.items()))


def chosen_cookies(request: HttpRequest, declared: Choices) -> dict[str, str]:
    """Return the declared cookies. One with a value that is not listed is as good as none."""
    found = {name: request.COOKIES.get(name) for name in sorted(declared)}
    return {name: value for name, value in found.items() if value in declared[name] and value}


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


@dataclass(kw_only=True)
class Asked:
    """What was asked for, as far as it is the same for everybody. `original` has the rest."""

    original: HttpRequest | None
    environ: Mapping[str, Any]
    path: str
    path_info: str
    resolver_match: ResolverMatch | None
    cookies: Mapping[str, str]
    has: frozenset[str]

    def let_go(self) -> None:
        """Forget the real request: it has been answered, and may be gone when this is computed."""
        self.original = None


def strip(request: HttpRequest, query: Mapping[str, str], cookies: Mapping[str, str]) -> Asked:
    """Return what is left of a request without its visitor."""
    return Asked(
        original=request,
        environ=_environ(request, query),
        path=request.path,
        path_info=request.path_info,
        resolver_match=request.resolver_match,
        cookies=cookies,
        has=frozenset(name for name in ("user", "session", "_messages") if hasattr(request, name)),
    )


class BareRequest(WSGIRequest):
    """The request as every anonymous visitor makes it, new for each computation.

    What a middleware has hung on the real one belongs to the visitor: who asks for it gets it, and
    `personal` says so.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__({**asked.environ, "wsgi.input": io.BytesIO()})
        self._original = asked.original
        self.personal: set[str] = set()
        self.path, self.path_info = asked.path, asked.path_info
        self.COOKIES = dict(asked.cookies)
        self.LANGUAGE_CODE = translation.get_language()
        self.resolver_match = asked.resolver_match
        if "user" in asked.has:
            self.user = anonymous()
        if "session" in asked.has:
            self.session = import_module(settings.SESSION_ENGINE).SessionStore()
        if "_messages" in asked.has:
            self._messages = NoMessages()

    def __getattr__(self, name: str) -> Any:
        # Called for what is not here. Without the guard a half-made object would ask for ever.
        original = self.__dict__.get("_original")
        if original is None or name.startswith("__"):
            raise AttributeError(name)
        value = getattr(original, name)
        self.personal.add(name)
        return value

    def why_personal(self) -> str:
        """Say what was done with this request that only one visitor can be shown."""
        if self.personal:
            return f"request.{min(self.personal)}"
        if "CSRF_COOKIE" in self.META:
            return "a csrf token"
        session = self.__dict__.get("session")
        if session is not None and (session.modified or session.session_key):
            return "the session"
        messages = self.__dict__.get("_messages")
        return "messages" if messages is not None and messages.added_new else ""


class NoMessages:
    """Stands for Django's storage of messages: there are none, and one more would be noticed."""

    level = 0
    used = False

    def __init__(self) -> None:
        self.added_new = False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def add(self, *_: object, **__: object) -> None:
        self.added_new = True


def anonymous() -> Any:
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415 - once the apps are ready

    return AnonymousUser()


def _environ(original: HttpRequest, query: Mapping[str, str]) -> dict[str, Any]:
    meta, names = original.META, ["SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"]
    if settings.SECURE_PROXY_SSL_HEADER:
        names.append(settings.SECURE_PROXY_SSL_HEADER[0])
    return {
        **{name: meta[name] for name in names if name in meta},
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": meta.get("SCRIPT_NAME", ""),
        "PATH_INFO": meta.get("PATH_INFO", "/"),
        "QUERY_STRING": urlencode(query),
        "HTTP_HOST": original.get_host(),
        "wsgi.url_scheme": original.scheme,
    }
