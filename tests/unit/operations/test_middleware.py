from __future__ import annotations

import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apps.operations.middleware import (
    RequestIdFilter,
    current_request_id,
    name_requests,
)


def ask(*, given: str | None = None) -> tuple[str, str]:
    """Return the request id as the view saw it and as the answer carries it."""
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_request_id())
        return HttpResponse()

    headers = {} if given is None else {"X-Request-ID": given}
    response = name_requests(view)(RequestFactory().get("/", headers=headers))
    return seen[0], response["X-Request-ID"]


def test_each_request_gets_a_name() -> None:
    inside, outside = ask()

    assert inside == outside
    assert len(inside) == 32
    assert ask() != ask()


def test_the_name_a_proxy_gave_is_kept() -> None:
    assert ask(given="edge-7f3a9c20") == ("edge-7f3a9c20", "edge-7f3a9c20")


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "two\nlines-of-log", "blank in it", "ä" * 9]
)
def test_a_name_that_could_forge_a_log_line_is_replaced(given: str) -> None:
    inside, outside = ask(given=given)

    assert inside == outside != given


def test_outside_of_a_request_there_is_none() -> None:
    ask()

    assert current_request_id() == "-"


def test_the_name_is_forgotten_when_the_view_fails() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError):
        name_requests(view)(RequestFactory().get("/"))

    assert current_request_id() == "-"


def test_log_lines_carry_the_name() -> None:
    lines: list[str] = []
    formatter = logging.Formatter("{request_id} {message}", style="{")

    def view(request: HttpRequest) -> HttpResponse:
        record = logging.makeLogRecord({"msg": "photo.liked"})
        RequestIdFilter().filter(record)
        lines.append(formatter.format(record))
        return HttpResponse()

    name_requests(view)(RequestFactory().get("/", headers={"X-Request-ID": "edge-7f3a9c20"}))

    assert lines == ["edge-7f3a9c20 photo.liked"]


def test_the_site_names_its_requests(client: Client) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": "edge-7f3a9c20"})

    assert response["X-Request-ID"] == "edge-7f3a9c20"
