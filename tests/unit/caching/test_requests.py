"""What a request remembers, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps import caching
from apps.caching import memo
from apps.caching.middleware import RequestMemo
from tests.support.caching import trace

MINUTES = timedelta(minutes=5)
looks: list[int] = []


@caching.cached(timeout=MINUTES, tags=["thing:{number}"])
def read(number: int) -> int:
    looks.append(number)
    return number * 10


@pytest.fixture(autouse=True)
def _no_looks() -> None:
    looks.clear()


@pytest.fixture
def request_() -> Iterator[None]:
    with memo.remembering():
        yield


def test_the_site_remembers_in_each_request() -> None:
    assert "apps.caching.middleware.RequestMemo" in settings.MIDDLEWARE


def test_the_same_thing_is_looked_up_once_in_a_request() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{read(1)} {read(1)}")

    read(1)
    with trace() as seen:
        response = RequestMemo(view)(RequestFactory().get("/"))

    assert response.content == b"10 10"
    assert len(seen.trips) == 1


def test_the_next_request_looks_for_itself() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(read(1)))

    serve = RequestMemo(view)
    with trace() as seen:
        serve(RequestFactory().get("/"))
        serve(RequestFactory().get("/"))

    assert len([line for line in seen.lines if line.startswith("get")]) >= 2
    assert not memo.is_active()


def test_a_view_that_fails_leaves_nothing_behind() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        read(1)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        RequestMemo(view)(RequestFactory().get("/"))

    assert not memo.is_active()


@pytest.mark.usefixtures("request_")
def test_what_was_computed_is_not_looked_up() -> None:
    read(1)

    with trace() as seen:
        read(1)
        read.many([(1,)])

    assert seen.lines == []


@pytest.mark.usefixtures("request_")
def test_a_list_asks_only_for_what_is_not_known() -> None:
    read.many([(1,), (2,)])
    with memo.suspended():
        read(3)

    with trace() as seen:
        assert read.many([(1,), (2,), (3,)]) == [10, 20, 30]

    assert [len(trip.keys) for trip in seen.trips] == [4]


@pytest.mark.usefixtures("request_")
def test_a_change_clears_what_the_request_has_seen() -> None:
    read.many([(1,), (2,)])

    caching.invalidate("thing:1")

    with trace() as seen:
        read(2)
    assert len(seen.trips) == 1


@pytest.mark.usefixtures("request_")
def test_a_forgotten_entry_is_forgotten_here_too() -> None:
    read(1)

    read.forget(1)

    read(1)
    assert looks == [1, 1]


@pytest.mark.usefixtures("request_")
def test_a_rewritten_entry_is_the_new_one_here_too() -> None:
    read(1)
    read.refresh(1)

    with trace() as seen:
        read(1)

    assert seen.lines == []
    assert looks == [1, 1]


@pytest.mark.usefixtures("request_")
def test_prefetch_brings_functions_and_counts_no_miss_twice() -> None:
    with memo.suspended():
        read(1)

    with trace() as seen:
        caching.prefetch(read.call(1), read.call(2))
    assert len(seen.trips) == 1

    with trace() as seen:
        assert read(1) == 10
    assert seen.lines == []

    with trace() as seen:
        assert read(2) == 20
    assert [trip.verb for trip in seen.trips] == ["add", "get", "add", "get", "put", "drop"]


@pytest.mark.django_db
@pytest.mark.usefixtures("request_")
def test_prefetch_leaves_out_what_this_transaction_changes() -> None:
    with memo.suspended():
        read.many([(1,), (2,)])
    caching.invalidate("thing:1")

    with trace() as seen:
        caching.prefetch(read.call(1), read.call(2))

    assert [len(trip.keys) for trip in seen.trips] == [4]
    read(1)
    assert looks == [1, 2, 1]


def test_a_block_inside_a_block_remembers_for_itself() -> None:
    with memo.remembering():
        read(1)
        with memo.remembering():
            with trace() as seen:
                read(1)
            assert len(seen.trips) == 1
        with trace() as seen:
            read(1)
        assert seen.lines == []
