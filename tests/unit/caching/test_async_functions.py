"""`@cached` on an `async def`: the same promises, awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, assert_type

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.db import transaction

from apps import caching
from apps.caching.stats import counted
from apps.caching.stores.memory import MemoryStore
from tests.support.caching import serving, trace

T = TypeVar("T")
MINUTE = timedelta(minutes=1)


@dataclass
class Card:
    number: int
    title: str


class Shelf:
    """Things that change, and how often they were looked at."""

    def __init__(self) -> None:
        self.titles = {1: "Harbour", 2: "Ferry", 3: "Gulls"}
        self.looks: list[object] = []


shelf = Shelf()


@pytest.fixture(autouse=True)
def _new_shelf() -> Iterator[None]:
    shelf.__init__()  # type: ignore[misc]
    with serving(MemoryStore("memory://async")):
        yield


@caching.cached(timeout=MINUTE, tags=["card:{number}"])
async def get_card(number: int, *, loud: bool = False) -> Card:
    """Return one card."""
    shelf.looks.append(number)
    await asyncio.sleep(0)
    title = shelf.titles[number]
    return Card(number, title.upper() if loud else title)


@caching.cached(timeout=MINUTE, tags=["card:1"])
async def get_title() -> str:
    return (await get_card(1)).title


@caching.cached(timeout=MINUTE)
async def get_undeclared() -> str:
    return (await get_card(1)).title


async def _many_cards(numbers: Sequence[int]) -> dict[int, Card]:
    shelf.looks.append(tuple(numbers))
    await asyncio.sleep(0)
    return {number: Card(number, shelf.titles[number]) for number in numbers}


@caching.cached(timeout=MINUTE, tags=["card:{number}"], bulk=_many_cards)
async def get_fast(number: int) -> Card:
    raise AssertionError(f"{number} was to be computed with the others")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def test_a_value_is_computed_once_and_then_kept() -> None:
    async def twice() -> tuple[Card, Card]:
        return await get_card(1), await get_card(number=1)

    assert run(twice()) == (Card(1, "Harbour"), Card(1, "Harbour"))
    assert shelf.looks == [1]


def test_those_who_ask_at_once_get_one_computation() -> None:
    async def together() -> list[Card]:
        return await asyncio.gather(*(get_card(2) for _ in range(8)))

    assert run(together()) == [Card(2, "Ferry")] * 8
    assert shelf.looks == [2]


def test_the_event_loop_is_free_while_the_cache_is_asked() -> None:
    class Slow(MemoryStore):
        """Answers only when the event loop has said that it runs."""

        loop: asyncio.AbstractEventLoop
        ticked = False

        def get(self, keys: Sequence[str]) -> list[bytes | None]:
            asyncio.run_coroutine_threadsafe(tick(), self.loop).result(timeout=30)
            return super().get(keys)

    async def tick() -> None:
        Slow.ticked = True

    async def ask() -> Card:
        Slow.loop = asyncio.get_running_loop()
        return await get_card(3)

    with serving(Slow("memory://slow")):
        assert run(ask()) == Card(3, "Gulls")
    assert Slow.ticked


def test_a_tag_makes_its_entries_out_of_date_for_all() -> None:
    async def change() -> tuple[Card, Card]:
        before = await get_card(1)
        shelf.titles[1] = "Quay"
        caching.invalidate("card:1")
        return before, await get_card(1)

    assert run(change()) == (Card(1, "Harbour"), Card(1, "Quay"))


def test_fresh_refresh_forget_and_many_are_awaited() -> None:
    async def all_of_them() -> list[str]:
        await get_card(1)
        shelf.titles[1] = "Quay"
        seen = [(await get_card.fresh(1)).title, (await get_card(1)).title]
        await get_card.refresh(1)
        seen.append((await get_card(1)).title)
        shelf.titles[1] = "Pier"
        await get_card.forget(1)
        seen += [card.title for card in await get_card.many([(1,), (2,)])]
        return seen

    assert run(all_of_them()) == ["Quay", "Harbour", "Quay", "Pier", "Ferry"]


def test_what_many_miss_is_computed_by_an_asynchronous_bulk() -> None:
    async def ask() -> list[Card]:
        return await get_fast.many([(1,), (3,)])

    with trace() as seen:
        assert [card.title for card in run(ask())] == ["Harbour", "Gulls"]
    assert shelf.looks == [(1, 3)]
    assert len([trip for trip in seen.trips if trip.verb == "put"]) == 1


def test_an_entry_of_entries_must_name_their_tags() -> None:
    async def both() -> None:
        assert await get_title() == await get_undeclared() == "Harbour"

    run(both())
    assert counted()[get_undeclared.call().name]["undeclared"] == 1
    assert "undeclared" not in counted()[get_title.call().name]


def test_a_failure_is_the_callers_and_is_not_kept() -> None:
    async def ask() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await get_card(99)

    run(ask())
    assert shelf.looks == [99, 99]


def test_a_cancelled_caller_leaves_nobody_waiting() -> None:
    async def cancel() -> Card:
        asking = asyncio.create_task(get_card(1))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await get_card(1)

    assert run(cancel()) == Card(1, "Harbour")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_reads_its_own_write_and_stores_none_of_it() -> None:
    ask = async_to_sync(get_card)
    assert ask(1).title == "Harbour"
    with transaction.atomic():
        shelf.titles[1] = "Quay"
        caching.invalidate("card:1")
        assert ask(1).title == "Quay"
        transaction.set_rollback(True)
    # Rolled back: the entry of before is still the answer, and was not overwritten.
    assert ask(1).title == "Harbour"


def test_the_function_keeps_its_face() -> None:
    assert get_card.__name__ == "get_card"  # type: ignore[attr-defined]
    assert get_card.__doc__ == "Return one card."
    assert list(inspect.signature(get_card).parameters) == ["number", "loud"]
    assert iscoroutinefunction(get_card)
    assert repr(get_card).endswith("get_card>")


def test_the_types_are_those_of_the_function() -> None:
    async def ask() -> None:
        assert_type(await get_card(1), Card)
        assert_type(await get_card.fresh(1), Card)
        assert_type(await get_card.refresh(1), Card)
        assert_type(await get_card.many([(1,)]), list[Card])
        assert_type(get_card.call(1), caching.Call[Card])

    run(ask())


def test_a_prefill_computes_an_asynchronous_function_too() -> None:
    call = get_card.call(2)
    assert call.compute() == Card(2, "Ferry")

    async def ask() -> Card:
        await get_card.refresh(2)
        return await get_card(2)

    assert run(ask()) == Card(2, "Ferry")
    assert shelf.looks == [2, 2]
