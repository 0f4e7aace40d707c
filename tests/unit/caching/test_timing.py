"""The headers that say what the cache did: what stands in them, and who is shown them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from apps import caching
from apps.caching import events
from apps.caching.events import Counted, Event, Trip, watching
from apps.caching.middleware import CacheHeaders
from apps.caching.options import Options
from apps.caching.timing import MOST_CHARACTERS, RequestRecord
from tests.support.views import a_request, odd

HEADER = "X-Safelight-Cache"
User = get_user_model()


@caching.cached(timeout=timedelta(minutes=5), tags=["thing:{number}"])
def read(number: int) -> int:
    return number


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(read(1)))


@pytest.fixture
def developing(settings: Settings) -> None:
    settings.DEBUG = True


# --- What stands in them --------------------------------------------------------------------------
@pytest.mark.usefixtures("developing")
def test_a_computation_and_a_hit_are_told_apart() -> None:
    serve = CacheHeaders(view)

    cold = serve(RequestFactory().get("/"))
    warm = serve(RequestFactory().get("/"))

    assert "0 hits, 1 miss, 1 computed" in cold[HEADER]
    assert "test_timing.read absent, computed" in cold[HEADER]
    assert warm[HEADER].startswith("1 trip ")
    assert "1 hit, 0 misses, 0 computed" in warm[HEADER]
    assert warm[HEADER].endswith("test_timing.read hit")


@pytest.mark.usefixtures("developing")
def test_server_timing_has_what_browsers_draw() -> None:
    cold = CacheHeaders(view)(RequestFactory().get("/"))["Server-Timing"]
    warm = CacheHeaders(view)(RequestFactory().get("/"))["Server-Timing"]

    assert cold.startswith("cache;dur=")
    assert "test_timing.read;dur=" in cold
    assert warm.endswith('desc="1 trip"')


@pytest.mark.usefixtures("developing")
def test_timings_of_others_stay() -> None:
    def timed(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Server-Timing": "db;dur=3"})

    assert CacheHeaders(timed)(a_request())["Server-Timing"].startswith("db;dur=3, cache;dur=")


@pytest.mark.usefixtures("developing")
def test_it_is_said_why_a_page_is_not_from_the_cache() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        response = odd(request, what="no-store")
        assert isinstance(response, HttpResponse)
        return response

    serve = CacheHeaders(page)

    assert "past the cache: session" in serve(a_request(cookies={"sessionid": "x"}))[HEADER]
    assert "past the cache: query" in serve(a_request("/?x=1"))[HEADER]
    assert "not kept: its Cache-Control forbids it" in serve(a_request())[HEADER]


def test_the_header_is_bounded_and_one_line() -> None:
    record = RequestRecord()
    for number in range(100):
        record.hear(Counted(f"a.function.that\r\nis; called ü {number}", "hits", 1))
        record.hear(Counted(f"f{number}", "seconds_computing", 0.001))
    record.hear(Trip("server", "get", (), answered=True, seconds=0.0015))
    response = HttpResponse()

    record.write_to(response, "X-Cache")

    assert response["X-Cache"].startswith("1 trip 1.50 ms, 100 hits, 0 misses, 0 computed; ")
    assert len(response["X-Cache"]) < MOST_CHARACTERS + 20
    assert response["X-Cache"].endswith(" more")
    assert len(response["Server-Timing"]) < MOST_CHARACTERS
    assert response["X-Cache"].isascii()


@pytest.mark.parametrize("header", ["", "X Cache", "X-Cache\n", "Ü"])
def test_a_name_that_is_no_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="HEADER"):
        Options(header=header)


# --- Who is shown them ----------------------------------------------------------------------------
@pytest.mark.django_db
def test_visitors_are_shown_nothing(client: Client) -> None:
    member = Client()
    member.force_login(User.objects.create(username="ada", email="ada@example.org"))

    for response in (client.get("/"), member.get("/")):
        assert HEADER not in response
        assert "Server-Timing" not in response


@pytest.mark.django_db
def test_staff_are_shown_what_the_cache_did_for_their_page(client: Client) -> None:
    client.force_login(
        User.objects.create(username="root", email="root@example.org", is_staff=True)
    )

    response = client.get("/")

    assert "past the cache: session" in response[HEADER]
    assert "Server-Timing" in response


def test_a_session_cookie_that_nobody_looked_at_shows_nothing_and_costs_no_query() -> None:
    response = CacheHeaders(view)(a_request(cookies={"sessionid": "x"}))

    assert HEADER not in response


def test_nothing_is_recorded_for_a_visitor_without_a_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def heard(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(events.is_heard()))

    assert CacheHeaders(heard)(a_request()).content == b"False"  # type: ignore[attr-defined]
    with_session = CacheHeaders(heard)(a_request(cookies={"sessionid": "x"}))
    assert with_session.content == b"True"  # type: ignore[attr-defined]


# --- One record for each request ------------------------------------------------------------------
def in_threads(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_requests_at_the_same_time_hear_only_themselves() -> None:
    together = threading.Barrier(4)
    heard: dict[int, list[Event]] = {number: [] for number in range(4)}

    def request(number: int) -> None:
        with watching(heard[number].append):
            together.wait(10)
            for _ in range(50):
                events.tell(Counted(str(number), "hits", 1))
            together.wait(10)

    in_threads(*[lambda number=number: request(number) for number in range(4)])

    assert {number: len(found) for number, found in heard.items()} == dict.fromkeys(range(4), 50)
    assert all(event.function == str(n) for n, found in heard.items() for event in found)  # type: ignore[union-attr]
    assert not events.is_heard()


def test_a_request_that_fails_is_heard_no_longer() -> None:
    with pytest.raises(RuntimeError), watching(lambda _: None):
        raise RuntimeError("no")

    assert not events.is_heard()
