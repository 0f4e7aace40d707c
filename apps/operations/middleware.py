"""What stands before the site: a name for each request, and the answers to probes."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve

from apps import messaging

HEADER = "X-Request-ID"
PROBES = frozenset({"/healthz", "/readyz"})

# What a proxy in front may have given it. Anything else could write lines of its own into our logs.
_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{8,64}")


def current_request_id() -> str:
    """Name the request being answered; `-` outside of one."""
    return messaging.request_id()


def name_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Take the id a proxy gave the request, or draw one, and return it with the answer."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        name = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        with messaging.named(name):
            response = get_response(request)
        response[HEADER] = name
        return response

    return answer


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer health probes before hosts are checked and http is redirected.

    A container's probe, or a balancer's, comes to an address in numbers and without a certificate.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in PROBES:
            return get_response(request)
        response: HttpResponseBase = resolve(request.path_info).func(request)
        return response

    return answer


class RequestIdFilter(logging.Filter):
    """Lets the format of log lines say `{request_id}`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True
