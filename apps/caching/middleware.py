"""Middleware of the layer."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.caching import memo
from apps.caching.engine import engine
from apps.caching.events import watching
from apps.caching.timing import RequestRecord

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestMemo:
    """Look the same thing up once in a request, and make `prefetch` worth calling."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with memo.remembering():
            return self.get_response(request)


class CacheHeaders:
    """Tell staff, and everybody in development, what the cache did for the page.

    In the header that the setting names (`HEADER`) and in `Server-Timing`. Of a visitor without a
    session nothing is recorded. Staff is whom the page itself has asked for: no query is made to
    find out.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.DEBUG and settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        record = RequestRecord()
        with watching(record.hear):
            response = self.get_response(request)
        if settings.DEBUG or is_known_as_staff(request):
            record.write_to(response, engine().options.header)
        return response


def is_known_as_staff(request: HttpRequest) -> bool:
    """Say whether the visitor is staff, if that has been found out already."""
    # Where `request.user` keeps whom it has fetched.
    user = getattr(request, "_cached_user", None)
    return bool(user is not None and user.is_active and getattr(user, "is_staff", False))
