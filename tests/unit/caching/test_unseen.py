"""While the server is away a process computes once for all who ask meanwhile, and nobody sees old.

The first computation is held; those who ask then may not join it, for by then another process may
have changed what it has read. They share the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse

from apps import caching
from apps.caching.engine import engine
from apps.caching.keeping import compute_one
from apps.caching.lookup import Found, look_up, place
from apps.caching.stats import counted
from apps.caching.stores import StoreAway
from tests.support.caching import Flaky, serving
from tests.support.renewal import PATIENCE, source
from tests.support.views import a_request, text
from tests.support.wait import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("background_threads"),
]
MINUTE = timedelta(minutes=1)
OTHERS = 7


@caching.cached(timeout=MINUTE, tags=["thing"])
def get_other() -> str:
    return "other"


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def get(number: int) -> str:
    return source.read(number)


@caching.cached(timeout=MINUTE)
def hide() -> str:
    """Depends on what its tags do not say: never stored, wherever the server is."""
    return f"{get_other()} {source.read(None)}"


def _read_many(numbers: Sequence[int]) -> Mapping[int, str]:
    value = source.read(tuple(numbers))
    return {number: f"{value} {number}" for number in numbers}


@caching.cached(timeout=MINUTE, tags=["thing:{number}"], bulk=_read_many)
def get_together(number: int) -> str:
    return source.read(number)


@caching.cached_view(timeout=MINUTE)
def page(request: HttpRequest) -> HttpResponse:
    """What it is built from nobody knows before it has been built."""
    return HttpResponse(f"{get_other()} {source.read(None)}")


def ask_for_one() -> str:
    return get(1)


def ask_for_many() -> str:
    return ", ".join(get_together.many([(1,), (2,)]))


def ask_for_the_page() -> str:
    return text(page(a_request("/page/")))


ASKED = {
    "one": (ask_for_one, get, "{0}", 1),
    "one that hides a tag": (hide, hide, "other {0}", 1),
    "many": (ask_for_many, get_together, "{0} 1, {0} 2", 2),
    "a page": (ask_for_the_page, page, "other {0}", 1),
}
each_way = pytest.mark.parametrize(
    ("ask", "function", "answer", "entries"), ASKED.values(), ids=ASKED
)
Ask = Callable[[], str]
Start = Callable[[Ask], "Future[str]"]


@pytest.fixture
def _away(background_threads: None) -> Iterator[None]:
    """Let the only server be away."""
    store = Flaky("memory://flaky")
    store.away = True
    with serving(store):
        yield


@pytest.fixture
def start() -> Iterator[Start]:
    def hanging_up(ask: Ask) -> str:
        try:
            return ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(OTHERS + 1) as pool:
        yield lambda ask: pool.submit(hanging_up, ask)
        source.open.set()


def waits(function: Any) -> float:
    return counted().get(function.name, {}).get("waits", 0)


@each_way
@pytest.mark.usefixtures("_away")
def test_all_who_ask_meanwhile_share_the_next_computation(
    start: Start, ask: Ask, function: Any, answer: str, entries: int
) -> None:
    first_may_end = source.hold()
    first = start(ask)
    wait_until(lambda: len(source.computed) == 1)
    next_may_end = source.hold()
    others = [start(ask) for _ in range(OTHERS)]
    wait_until(lambda: waits(function) == OTHERS * entries)  # for the end of the first
    first_may_end.set()
    wait_until(lambda: waits(function) == (OTHERS + OTHERS - 1) * entries)  # all but one, again
    next_may_end.set()

    assert {each.result(PATIENCE) for each in [first, *others]} == {answer.format("old")}
    assert len(source.computed) == 2


@each_way
@pytest.mark.usefixtures("_away")
def test_nobody_is_answered_from_before_he_asked(
    start: Start, ask: Ask, function: Any, answer: str, entries: int
) -> None:
    first_may_end = source.hold()
    first = start(ask)
    wait_until(lambda: len(source.computed) == 1)
    source.value = "new"  # written, committed and told by another process
    source.let_go()
    others = [start(ask) for _ in range(OTHERS)]
    wait_until(lambda: waits(function) >= OTHERS * entries)
    first_may_end.set()

    assert first.result(PATIENCE) == answer.format("old")
    assert {each.result(PATIENCE) for each in others} == {answer.format("new")}


@pytest.mark.usefixtures("_away")
def test_in_a_batch_a_writer_waits_for_nobody_who_does_not_see_his_change(start: Start) -> None:
    first_may_end = source.hold()
    first = start(ask_for_many)
    wait_until(lambda: len(source.computed) == 1)
    source.let_go()

    with transaction.atomic():
        caching.invalidate("thing:1", "thing:2")
        source.value = "mine"
        assert ask_for_many() == "mine 1, mine 2"
    first_may_end.set()

    assert first.result(PATIENCE) == "old 1, old 2"
    assert waits(get_together) == 0


def test_what_may_be_shared_is_what_others_see_too_and_stored_what_says_all_its_tags() -> None:
    assert compute_one(get.call(1)).shareable
    hiding = compute_one(hide.call())
    assert hiding.common
    assert not hiding.shareable

    with transaction.atomic():
        Group.objects.create(name="mine")
        assert not compute_one(hide.call()).common


# --- Two servers ----------------------------------------------------------------------------------
@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def inside(number: int) -> str:
    return source.read(number)


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def outside(number: int) -> str:
    return f"<{inside(number)}>"


@caching.cached(timeout=MINUTE, tags=["thing:{number}"])
def built_of_what_hides(number: int) -> str:
    return f"<{hide()}>"


class Forgetful(Flaky):
    """Does not answer who asks for the inner entry."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        if any("inside" in key or ".hide:" in key for key in keys):
            raise StoreAway("inside")
        return super().get(keys)


def test_what_an_entry_is_built_from_is_shared_with_none_who_may_ask_other_servers(
    start: Start,
) -> None:
    """The server of the outer entry knows of a change of which another one has not been told."""
    with serving(Forgetful("memory://a"), Flaky("memory://b")) as servers:
        number = next(
            number
            for number in range(1000)
            if place(outside.call(number), engine()).node
            is place(inside.call(number), engine()).node
            is servers.nodes[0]
        )
        first_may_end = source.hold()
        first = start(lambda: inside(number))
        wait_until(lambda: len(source.computed) == 1)
        source.let_go()

        assert outside(number) == "<old>"  # while the first is going on
        first_may_end.set()
        assert first.result(PATIENCE) == "old"
        assert waits(inside) == 0


def test_who_builds_an_entry_that_will_be_stored_computes_what_hides_a_tag_himself(
    start: Start,
) -> None:
    """He has to hear of the tag, for his entry lacks it too."""
    with serving(Forgetful("memory://a"), Forgetful("memory://b")):
        node = place(hide.call(), engine()).node
        numbers = [
            number
            for number in range(100)
            if place(built_of_what_hides.call(number), engine()).node is node
        ][:3]
        asks = [partial(built_of_what_hides, number) for number in numbers]
        first_may_end = source.hold()
        first = start(asks[0])
        wait_until(lambda: len(source.computed) == 1)
        next_may_end = source.hold()
        others = [start(ask) for ask in asks[1:]]
        wait_until(lambda: waits(hide) == 2)
        first_may_end.set()
        wait_until(lambda: waits(hide) == 3)
        next_may_end.set()

        assert {each.result(PATIENCE) for each in [first, *others]} == {"<other old>"}
        assert len(source.computed) == 3
        looks = look_up([built_of_what_hides.call(number) for number in numbers])
        assert [look.found for look in looks] == [Found.ABSENT] * 3
