from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from apps.live.hub import Hub, Key, Listener, Update

A = Key("photo:a", "en")
B = Key("photo:b", "en")


class Shelf:
    """States that can be changed, counts how often they were read, and can be made slow."""

    def __init__(self, **states: str) -> None:
        self.states = {f"photo:{name}": state for name, state in states.items()}
        self.reads: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def read(self, key: Key) -> bytes | None:
        self.reads.append(key.topic)
        state = self.states.get(key.topic)
        await self.gate.wait()
        if self.broken:
            raise ConnectionError("no database")
        return None if state is None else f"{state} {key.language}".encode()


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(5):
            await scene()

    asyncio.run(in_time())


async def hear(listener: Listener) -> list[Update]:
    return await listener.wait(seconds=5)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_the_current_state_comes_first() -> None:
    async def scene() -> None:
        hub = Hub(Shelf(a="queued").read)

        listener = hub.join([A])

        assert await hear(listener) == [Update("photo:a", b"queued en")]

    run(scene)


def test_a_change_reaches_everybody_with_one_read() -> None:
    async def scene() -> None:
        shelf = Shelf(a="queued")
        hub = Hub(shelf.read)
        listeners = [hub.join([A]) for _ in range(200)]
        for listener in listeners:
            await hear(listener)
        before = len(shelf.reads)

        shelf.states["photo:a"] = "ready"
        hub.changed("photo:a")
        heard = [await hear(listener) for listener in listeners]

        assert heard == [[Update("photo:a", b"ready en")]] * 200
        assert len(shelf.reads) == before + 1

    run(scene)


def test_two_hundred_who_come_at_once_cost_two_reads() -> None:
    async def scene() -> None:
        shelf = Shelf(a="queued")
        hub = Hub(shelf.read)
        shelf.gate.clear()

        listeners = [hub.join([A])]
        await settle()
        listeners += [hub.join([A]) for _ in range(199)]
        shelf.gate.set()
        heard = [await hear(listener) for listener in listeners]

        assert heard == [[Update("photo:a", b"queued en")]] * 200
        assert len(shelf.reads) == 2

    run(scene)


def test_a_change_during_a_read_is_read_again() -> None:
    async def scene() -> None:
        shelf = Shelf(a="developing")
        hub = Hub(shelf.read)
        shelf.gate.clear()
        listener = hub.join([A])
        await settle()

        shelf.states["photo:a"] = "ready"
        hub.changed("photo:a")
        shelf.gate.set()
        await settle()

        assert await hear(listener) == [Update("photo:a", b"ready en")]

    run(scene)


def test_a_slow_listener_skips_to_the_newest() -> None:
    async def scene() -> None:
        shelf = Shelf(a="0")
        hub = Hub(shelf.read)
        listener = hub.join([A])
        await hear(listener)

        for number in range(1, 50):
            shelf.states["photo:a"] = str(number)
            hub.changed("photo:a")
            await settle()

        assert await hear(listener) == [Update("photo:a", b"49 en")]

    run(scene)


def test_a_hint_without_a_change_says_nothing() -> None:
    async def scene() -> None:
        hub = Hub(Shelf(a="ready").read)
        listener = hub.join([A])
        await hear(listener)

        hub.changed("photo:a")
        hub.changed_all()

        assert await listener.wait(seconds=0.05) == []

    run(scene)


def test_what_is_gone_is_told() -> None:
    async def scene() -> None:
        shelf = Shelf(a="ready")
        hub = Hub(shelf.read)
        listener = hub.join([A])
        await hear(listener)

        del shelf.states["photo:a"]
        hub.changed("photo:a")

        assert await hear(listener) == [Update("photo:a", None)]

    run(scene)


def test_after_a_time_without_news_everything_is_looked_at_again() -> None:
    async def scene() -> None:
        shelf = Shelf(a="queued", b="queued")
        hub = Hub(shelf.read)
        listener = hub.join([A, B])
        await settle()
        await hear(listener)

        shelf.states = {"photo:a": "ready", "photo:b": "failed"}
        hub.changed_all()
        await settle()

        assert await hear(listener) == [
            Update("photo:a", b"ready en"),
            Update("photo:b", b"failed en"),
        ]

    run(scene)


def test_each_language_has_its_own_words() -> None:
    async def scene() -> None:
        hub = Hub(Shelf(a="ready").read)
        english, chinese = hub.join([A]), hub.join([Key("photo:a", "zh-hans")])

        assert await hear(english) == [Update("photo:a", b"ready en")]
        assert await hear(chinese) == [Update("photo:a", b"ready zh-hans")]

    run(scene)


def test_nobody_listens_so_nothing_is_read() -> None:
    async def scene() -> None:
        shelf = Shelf(a="ready")
        hub = Hub(shelf.read)
        listener = hub.join([A])
        await hear(listener)

        hub.leave(listener)
        hub.leave(listener)
        hub.changed("photo:a")
        await settle()

        assert shelf.reads == ["photo:a"]
        assert len(hub) == 0

    run(scene)


def test_a_state_that_cannot_be_read_ends_the_stream() -> None:
    async def scene() -> None:
        shelf = Shelf(a="ready", b="ready")
        hub = Hub(shelf.read)
        listener, other = hub.join([A]), hub.join([B])
        await hear(listener)
        await hear(other)

        shelf.broken = True
        hub.changed("photo:a")
        await settle()

        assert listener.closed
        assert not other.closed

    run(scene)


def test_closing_ends_every_stream_at_once() -> None:
    async def scene() -> None:
        hub = Hub(Shelf(a="ready").read)
        listener = hub.join([A])
        await hear(listener)
        waiting = asyncio.create_task(listener.wait(seconds=60))
        await settle()

        hub.close()

        assert await waiting == []
        assert listener.closed

    run(scene)


def test_the_fingerprint_names_what_was_told() -> None:
    async def told(**states: str) -> str:
        listener = Hub(Shelf(**states).read).join([A, B])
        await settle()
        await hear(listener)
        return listener.fingerprint()

    async def scene() -> None:
        first, again, other = (
            await told(a="ready", b="queued"),
            await told(a="ready", b="queued"),
            await told(a="ready", b="ready"),
        )

        assert first == again
        assert first != other

    run(scene)


def test_waiting_ends_with_its_time() -> None:
    async def scene() -> None:
        listener = Hub(Shelf(a="ready").read).join([A])
        await hear(listener)

        answer: Awaitable[list[Update]] = listener.wait(seconds=0.01)

        assert await answer == []

    run(scene)
