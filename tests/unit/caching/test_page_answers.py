"""Whole pages: which answers are kept, and what a browser is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.gzip import GZipMiddleware
from django.template.response import TemplateResponse

from apps import caching
from apps.caching.stats import counted as counts
from tests.support.caching import trace
from tests.support.races import write
from tests.support.views import MINUTES, ODD, a_request, odd, renderings, shelf, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_rendered() -> None:
    renderings.clear()


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="old")


# --- What is not kept -----------------------------------------------------------------------------
@pytest.mark.parametrize("what", ODD)
def test_what_only_one_visitor_can_be_shown_is_not_kept(what: str) -> None:
    for _ in range(2):
        request = a_request("/odd/")
        renderings.clear()
        with trace() as seen:
            response = odd(request, what=what)
        assert renderings
        assert "ETag" not in response
        assert "Cookie" in response["Vary"]
        assert not any(line.startswith("put tests") for line in seen.lines)

    assert counts()["tests.support.views.odd"]["refused"] == 2


def test_what_the_view_did_to_the_request_is_done_to_the_real_one() -> None:
    for_session, for_token, for_message = (a_request("/odd/") for _ in range(3))

    odd(for_session, what="session")
    token = text(odd(for_token, what="csrf"))
    odd(for_message, what="messages")

    assert for_session.session["seen"] is True
    assert for_token.META["CSRF_COOKIE"]
    assert token
    assert len(list(for_message._messages)) == 1  # type: ignore[attr-defined]
    assert text(odd(a_request("/odd/"), what="nonce")) == "<script nonce=a-nonce>"


def test_it_is_said_once_why_a_page_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    odd._refused.clear()

    odd(a_request(), what="csrf")
    odd(a_request(), what="csrf")
    odd(a_request(), what="status")

    assert [record.getMessage() for record in caplog.records] == [
        "<cached view tests.support.views.odd> is not kept: it uses a csrf token"
    ]


def test_a_stream_passes_through() -> None:
    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse([b"a", b"b"])

    response = page(a_request())

    assert response.streaming
    assert b"".join(response) == b"ab"


def test_a_page_that_is_not_found_is_not_kept() -> None:
    tries: list[int] = []

    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> HttpResponse:
        tries.append(1)
        raise Http404

    for _ in range(2):
        with pytest.raises(Http404):
            page(a_request())

    assert len(tries) == 2


def test_a_view_that_is_async_is_refused() -> None:
    async def page(request: HttpRequest) -> HttpResponse:
        return await asyncio.sleep(0, HttpResponse())

    with pytest.raises(TypeError, match="async"):
        caching.cached_view(timeout=MINUTES)(page)  # type: ignore[arg-type]


def test_a_template_response_is_kept_as_it_was_rendered() -> None:
    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> TemplateResponse:
        return TemplateResponse(request, "404.html", {"user": AnonymousUser()})

    first, second = page(a_request()), page(a_request())

    assert text(first) == text(second)
    assert first["ETag"] == second["ETag"]


# --- What a browser is told -----------------------------------------------------------------------
def test_a_browser_asks_each_time_and_a_proxy_keeps_nothing(group: Group) -> None:
    response = shelf(a_request(), pk=group.pk)

    assert response["Cache-Control"] == "private, no-cache"
    assert response["Vary"] == "Cookie, Accept-Language"


def test_who_has_the_page_is_told_so_until_it_changes(group: Group) -> None:
    etag = shelf(a_request(), pk=group.pk)["ETag"]

    same = shelf(a_request(HTTP_IF_NONE_MATCH=etag), pk=group.pk)
    weak = shelf(a_request(HTTP_IF_NONE_MATCH=f'"x", W/{etag}'), pk=group.pk)
    write(group, "new")
    changed = shelf(a_request(HTTP_IF_NONE_MATCH=etag), pk=group.pk)

    assert (same.status_code, weak.status_code, changed.status_code) == (304, 304, 200)
    assert text(same) == ""
    assert same["ETag"] == etag != changed["ETag"]
    assert same["Vary"] == "Cookie, Accept-Language"
    assert same["Cache-Control"] == "private, no-cache"


def test_who_logs_in_is_never_told_that_he_has_the_page(group: Group) -> None:
    etag = shelf(a_request(), pk=group.pk)["ETag"]

    response = shelf(a_request(HTTP_IF_NONE_MATCH=etag, cookies={"sessionid": "x"}), pk=group.pk)

    assert response.status_code == 200


def test_a_page_that_another_middleware_compressed_is_recognised(group: Group) -> None:
    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("long " * 200)

    serve: Any = GZipMiddleware(page)
    first = serve(a_request(HTTP_ACCEPT_ENCODING="gzip"))
    again = serve(a_request(HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=first["ETag"]))

    assert first["Content-Encoding"] == "gzip"
    assert first["ETag"].startswith("W/")
    assert again.status_code == 304


def test_head_is_answered_from_the_page_that_get_has_filled(group: Group) -> None:
    got = shelf(a_request(), pk=group.pk)
    renderings.clear()

    head = shelf(a_request(method="HEAD"), pk=group.pk)

    assert renderings == []
    assert head["ETag"] == got["ETag"]


def test_what_the_view_says_of_its_page_is_kept_with_it() -> None:
    @caching.cached_view(timeout=MINUTES)
    def page(request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": "max-age=60", "X-Robots-Tag": "noindex", "ETag": '"mine"'}
        return HttpResponse("{}", content_type="application/json", headers=headers)

    for response in (page(a_request()), page(a_request())):
        assert response["Cache-Control"] == "max-age=60"
        assert response["X-Robots-Tag"] == "noindex"
        assert response["ETag"] == '"mine"'
        assert response["Content-Type"] == "application/json"


def test_the_view_itself_is_there_too(group: Group) -> None:
    assert repr(shelf) == "<cached view tests.support.views.shelf>"
    assert vars(shelf)["__name__"] == "shelf"
    assert "ETag" not in shelf.fresh(a_request(), pk=group.pk)
