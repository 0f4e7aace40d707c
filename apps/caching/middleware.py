"""Middleware of the layer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.caching import memo


class RequestMemo:
    """Look the same thing up once in a request, and make `prefetch` worth calling."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with memo.remembering():
            return self.get_response(request)
