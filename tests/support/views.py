"""Views with whole pages in the cache, and requests to them, for tests of the layer itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.test import RequestFactory
from django.utils import translation

from apps import caching
from tests.support.races import get_name

MINUTES = timedelta(minutes=5)
THEMES = ("light", "dark")
SORTS = ("new", "old")

renderings: list[str] = []


@caching.cached_view(timeout=MINUTES, query={"sort": SORTS}, cookies={"theme": THEMES})
def shelf(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of the name of one group, by its entry, and of how it was asked for."""
    renderings.append(request.get_full_path())
    theme = request.COOKIES.get("theme", "auto")
    body = f"{get_name(pk)} {request.GET.get('sort', '')} {theme} {translation.get_language()}"
    return HttpResponse(body)


@caching.cached_view(timeout=MINUTES)
def counted(request: HttpRequest) -> HttpResponse:
    """A page of a query of its own."""
    number = Group.objects.count()
    caching.uses("groups")
    return HttpResponse(str(number))


def _token(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


def _session(request: HttpRequest) -> HttpResponse:
    request.session["seen"] = True
    return HttpResponse()


def _message(request: HttpRequest) -> HttpResponse:
    messages.info(request, "Hello")
    return HttpResponse()


def _nonce(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<script nonce={request.csp_nonce}>")  # type: ignore[attr-defined]


def _cookie(_: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.set_cookie("a", "b")
    return response


ODD: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "csrf": _token,
    "session": _session,
    "messages": _message,
    "nonce": _nonce,
    "cookie": _cookie,
    "no-store": lambda _: HttpResponse(headers={"Cache-Control": "no-store"}),
    "private": lambda _: HttpResponse(headers={"Cache-Control": "max-age=60, private"}),
    "vary": lambda _: HttpResponse(headers={"Vary": "Cookie, User-Agent"}),
    "status": lambda _: HttpResponse(status=503),
}


@caching.cached_view(timeout=MINUTES)
def odd(request: HttpRequest, what: str) -> HttpResponse:
    """A page that does something which only one visitor can be shown."""
    renderings.append(what)
    return ODD[what](request)


def a_request(address: str = "/shelf/", *, user: Any = None, **extra: Any) -> HttpRequest:
    """A request as the middleware of a site hand it to a view."""
    method = extra.pop("method", "GET")
    cookies = extra.pop("cookies", {})
    request: Any = RequestFactory().generic(method, address, **extra)
    request.COOKIES = dict(cookies)
    request.user = user or AnonymousUser()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    request._messages = FallbackStorage(request)
    request.csp_nonce = "a-nonce"
    request.resolver_match = None
    return request  # type: ignore[no-any-return]


def text(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return str(response.content.decode())
