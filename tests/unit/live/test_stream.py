from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from apps.live.hub import Hub, Key, Update
from apps.live.stream import Admission, Door, Limits, Question, encode

SITE = "https://photos.example.org"


class Browser:
    """One request to the door, with everything it is sent."""

    def __init__(self, door: Door, query: str, **options: str) -> None:
        self.door = door
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": options.pop("method", "GET"),
            "path": options.pop("path", "/live/"),
            "client": (options.pop("client", "192.0.2.1"), 40_000),
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in options.items()
            ],
        }
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.left = asyncio.Event()
        self.stuck = False
        self.waited_for = asyncio.Event()
        self.task = asyncio.create_task(door(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.stuck:
            self.waited_for.set()
            await asyncio.Event().wait()
        self.sent.put_nowait(dict(message))

    async def start(self) -> tuple[int, dict[str, str]]:
        message = await self.sent.get()
        headers = {name.decode(): value.decode() for name, value in message["headers"]}
        return message["status"], headers

    async def body(self) -> str:
        message = await self.sent.get()
        return str(message["body"].decode()) if message["more_body"] else ""

    async def status(self) -> int:
        status, _ = await self.start()
        await self.task
        return status

    async def event(self) -> dict[str, str]:
        """Return the fields of the next event, heartbeats passed over."""
        while True:
            body = await self.body()
            if "event:" in body:
                return dict(line.split(": ", 1) for line in body.strip().splitlines())
            assert body, "the stream ended"


class Site:
    """Two photos, one of them private, behind a door."""

    def __init__(self, **limits: float) -> None:
        self.states: dict[str, dict[str, str]] = {
            "photo:a": {"state": "developing"},
            "photo:b": {"state": "queued"},
        }
        self.questions: list[Question] = []
        self.hub = Hub(self._read)
        settings: Any = {"heartbeat": 5, "lifetime": 5, "listeners": 3, "topics": 4, **limits}
        self.door = Door(hub=self.hub, admit=self._admit, origin=SITE, limits=Limits(**settings))

    async def _read(self, key: Key) -> bytes | None:
        state = self.states.get(key.topic)
        return None if state is None else json.dumps(state).encode()

    async def _admit(self, question: Question) -> Admission:
        self.questions.append(question)
        keys = [Key(topic, "en") for topic in question.topics if topic in self.states]
        return Admission(keys, question.cookies)

    def visit(self, query: str = "topic=photo:a", **options: str) -> Browser:
        return Browser(self.door, query, **options)


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(in_time())


def test_the_stream_begins_with_the_current_state() -> None:
    async def scene() -> None:
        browser = Site().visit()

        status, headers = await browser.start()
        first = await browser.body()
        event = await browser.event()

        assert status == 200
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["x-accel-buffering"] == "no"
        assert headers["cache-control"] == "no-store"
        assert first.startswith("retry: ")
        assert 1000 <= int(first.split()[1]) <= 5000
        assert event["event"] == "state"
        assert json.loads(event["data"]) == {"topic": "photo:a", "state": {"state": "developing"}}

    run(scene)


def test_a_change_is_sent() -> None:
    async def scene() -> None:
        site = Site()
        browser = site.visit()
        await browser.start()
        before = await browser.event()

        site.states["photo:a"] = {"state": "ready"}
        site.hub.changed("photo:a")
        after = await browser.event()

        assert json.loads(after["data"])["state"] == {"state": "ready"}
        assert after["id"] != before["id"]

    run(scene)


def test_one_stream_carries_several_topics() -> None:
    async def scene() -> None:
        browser = Site().visit("topic=photo:a&topic=photo:b&topic=photo:a")
        await browser.start()
        await browser.body()

        told = [line for line in (await browser.body()).splitlines() if line.startswith("data")]
        told += [] if len(told) == 2 else [(await browser.event())["data"]]

        assert len(told) == 2
        assert "photo:a" in told[0]
        assert "photo:b" in told[1]

    run(scene)


def test_what_is_gone_is_told() -> None:
    async def scene() -> None:
        site = Site()
        browser = site.visit()
        await browser.start()
        await browser.event()

        del site.states["photo:a"]
        site.hub.changed("photo:a")
        event = await browser.event()

        assert event["event"] == "gone"
        assert json.loads(event["data"]) == {"topic": "photo:a"}

    run(scene)


def test_one_that_returns_is_told_what_it_missed() -> None:
    async def scene() -> None:
        site = Site()
        first = site.visit()
        await first.start()
        seen = (await first.event())["id"]
        first.left.set()
        await first.task

        site.states["photo:a"] = {"state": "ready"}
        again = site.visit(last_event_id=seen)
        await again.start()

        assert json.loads((await again.event())["data"])["state"] == {"state": "ready"}

    run(scene)


def test_one_that_returns_and_missed_nothing_is_not_told_twice() -> None:
    async def scene() -> None:
        site = Site()
        first = site.visit()
        await first.start()
        seen = (await first.event())["id"]

        again = site.visit(last_event_id=seen)
        await again.start()
        await again.body()

        assert await again.body() == ": still here\n\n"

    run(scene)


def test_a_quiet_stream_beats() -> None:
    async def scene() -> None:
        browser = Site(heartbeat=0.01).visit()
        await browser.start()
        await browser.event()

        assert await browser.body() == ": still here\n\n"
        assert await browser.body() == ": still here\n\n"

    run(scene)


def test_a_browser_that_leaves_is_forgotten() -> None:
    async def scene() -> None:
        site = Site()
        browser = site.visit()
        await browser.start()
        await browser.event()

        browser.left.set()
        await browser.task

        assert len(site.hub) == 0

    run(scene)


def test_a_stream_has_an_end() -> None:
    async def scene() -> None:
        site = Site(lifetime=0.05)
        browser = site.visit()
        await browser.start()
        await browser.event()

        while await browser.body():
            pass  # a last beat
        await browser.task
        assert len(site.hub) == 0

    run(scene)


def test_shutting_down_ends_the_streams() -> None:
    async def scene() -> None:
        site = Site()
        browser = site.visit()
        await browser.start()
        await browser.event()

        site.hub.close()

        assert await browser.body() == ""
        await browser.task

    run(scene)


def test_the_page_of_the_site_may_read_the_answer() -> None:
    async def scene() -> None:
        _, headers = await Site().visit(origin=SITE).start()

        assert headers["access-control-allow-origin"] == SITE
        assert headers["access-control-allow-credentials"] == "true"
        assert headers["vary"] == "Origin"

    run(scene)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{SITE}.evil.example"])
def test_another_site_may_not_listen(origin: str) -> None:
    async def scene() -> None:
        site = Site()
        browser = site.visit(origin=origin)

        status, headers = await browser.start()

        assert status == 403
        assert "access-control-allow-origin" not in headers
        assert site.questions == []

    run(scene)


def test_a_stranger_is_told_that_nothing_is_there() -> None:
    async def scene() -> None:
        site = Site()

        assert await site.visit("topic=photo:secret").status() == 404
        assert len(site.hub) == 0

    run(scene)


def test_of_several_topics_those_allowed_are_heard() -> None:
    async def scene() -> None:
        browser = Site().visit("topic=photo:secret&topic=photo:b")
        await browser.start()

        assert json.loads((await browser.event())["data"])["topic"] == "photo:b"

    run(scene)


@pytest.mark.parametrize(
    ("query", "options", "status"),
    [
        ("", {}, 400),
        ("topic=" + "&topic=".join("abcde"), {}, 400),
        ("topic=photo:a", {"method": "POST"}, 405),
        ("topic=photo:a", {"path": "/elsewhere"}, 404),
        ("", {"path": "/healthz"}, 200),
    ],
)
def test_other_questions_get_a_plain_answer(
    query: str, options: dict[str, str], status: int
) -> None:
    async def scene() -> None:
        assert await Site().visit(query, **options).status() == status

    run(scene)


def test_there_is_room_for_so_many() -> None:
    async def scene() -> None:
        site = Site(listeners=1)
        first = site.visit()
        await first.start()

        status, headers = await site.visit().start()

        assert status == 503
        assert headers["retry-after"] == "30"

    run(scene)


def test_cookies_and_languages_are_passed_on() -> None:
    async def scene() -> None:
        site = Site()

        await site.visit(cookie="sessionid=abc", accept_language="de").start()

        assert site.questions == [
            Question(cookies="sessionid=abc", languages="de", topics=["photo:a"])
        ]

    run(scene)


def test_an_event_is_one_line_of_data() -> None:
    state = json.dumps({"title": "two\nlines"}).encode()

    event = encode(Update("photo:a", state), b"mark").decode()

    assert event.endswith("\n\n")
    assert [line.split(":")[0] for line in event.strip().splitlines()] == ["id", "event", "data"]
