"""Whole pages whose tags are found out while somebody else asks, and those computed ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone

from apps import caching
from apps.caching.lookup import look_up
from apps.caching.renewal import renew
from apps.caching.stats import counted
from tests.support.races import get_name, write
from tests.support.views import MINUTES, a_request, text
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 5
Start = Callable[[Callable[[], str]], "Future[str]"]


class Stops:
    """Holds one computation of a page, counted from 1, until the test lets it go."""

    def __init__(self) -> None:
        self.at = 0
        self.computed = 0
        self.has_read = threading.Event()
        self.may_go_on = threading.Event()

    def pass_by(self) -> None:
        self.computed += 1
        if self.computed == self.at:
            self.has_read.set()
            assert self.may_go_on.wait(PATIENCE)


stops = Stops()


@caching.cached_view(timeout=MINUTES)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    body = str(get_name(pk))
    stops.pass_by()
    return HttpResponse(body)


def look(group: Group) -> str:
    return text(page(a_request("/page/"), pk=group.pk))


@pytest.fixture
def group() -> Group:
    stops.__init__()  # type: ignore[misc]
    return Group.objects.create(name="old")


@pytest.fixture
def start() -> Iterator[Start]:
    def hanging_up(work: Callable[[], str]) -> str:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        yield lambda work: pool.submit(hanging_up, work)
        stops.may_go_on.set()


def waits() -> float:
    return counted().get(page.name, {}).get("waits", 0)


@pytest.mark.parametrize("at", [1, 2], ids=["before the tags are known", "after they are"])
def test_who_asks_after_a_change_does_not_get_the_page_from_before_it(
    group: Group, start: Start, at: int
) -> None:
    """His guess has no tag that changed: by his versions he may not join who began before."""
    stops.at = at
    before = start(lambda: look(group))
    assert stops.has_read.wait(PATIENCE)
    write(group, "new")

    after = start(lambda: look(group))
    wait_until(lambda: waits() == 1, seconds=PATIENCE)
    stops.may_go_on.set()

    assert before.result(PATIENCE) in {"old", "new"}
    assert after.result(PATIENCE) == "new"
    assert look(group) == "new"


def test_threads_that_find_a_cold_page_share_what_the_first_of_them_learns(
    group: Group, start: Start
) -> None:
    stops.at = 2
    answers = [start(lambda: look(group)) for _ in range(8)]
    wait_until(lambda: waits() == 7, seconds=PATIENCE)
    stops.may_go_on.set()

    assert [answer.result(PATIENCE) for answer in answers] == ["old"] * 8
    assert stops.computed == 2  # once to learn the tags, once with their versions


# --- Pages that are computed ahead ----------------------------------------------------------------
@caching.cached_view(timeout=MINUTES, stale_for=MINUTES, refresh_ahead=False)
def clock_face(request: HttpRequest, pk: int) -> HttpResponse:
    stops.computed += 1
    names = [get_name(pk)] if stops.computed < 3 else [get_name(pk), get_name(0)]
    where = f"{timezone.get_current_timezone_name()} {get_script_prefix()}"
    return HttpResponse(f"{where} {len(names)} {stops.computed}")


def face(group: Group) -> str:
    return text(clock_face(a_request("/page/"), pk=group.pk))


def test_a_page_is_renewed_in_the_time_zone_and_with_the_links_of_its_readers(
    group: Group, clock: time_machine.Traveller
) -> None:
    set_script_prefix("/under/")
    try:
        with timezone.override("Asia/Tokyo"):
            assert face(group) == "Asia/Tokyo /under/ 1 2"
            clock.shift(MINUTES)
            assert face(group) == "Asia/Tokyo /under/ 1 2"  # and the next one is computed
            assert face(group).startswith("Asia/Tokyo /under/ 2 ")
        assert get_script_prefix() == "/under/"
    finally:
        set_script_prefix("/")


def test_a_page_that_was_renewed_with_other_tags_is_not_renewed_again(
    group: Group, clock: time_machine.Traveller
) -> None:
    face(group)
    clock.shift(MINUTES)
    call = clock_face.call(a_request("/page/"), pk=group.pk)
    assert call is not None
    seen = look_up([call])
    face(group)  # renewed by who looked a moment later, and with a tag more
    computed = stops.computed

    renew([call], seen)

    assert stops.computed == computed
    assert counted()[clock_face.name]["spared"] == 1


def test_a_page_that_shows_something_new_is_renewed_with_the_tags_of_that(
    group: Group, clock: time_machine.Traveller
) -> None:
    face(group)
    clock.shift(MINUTES)
    face(group)
    renewed = face(group)

    assert stops.computed == 4
    assert face(group) == renewed
    caching.invalidate("group:0")
    assert face(group) != renewed
