from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client

from apps import messaging
from apps.live import application, channels
from apps.live.application import Live, origin_of


def run(scene: Coroutine[Any, Any, None]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(10):
            await scene

    asyncio.run(in_time())


@pytest.fixture(autouse=True)
def quick_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.messaging.topics.POLL_SECONDS", 0.05)
    monkeypatch.setattr(application, "PATIENCE", 30)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://Photos.Example.org", "https://photos.example.org"),
        ("https://photos.example.org:443/club", "https://photos.example.org"),
        ("http://photos.example.org:80", "http://photos.example.org"),
        ("https://photos.example.org:8443", "https://photos.example.org:8443"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_it_starts_and_ends_with_the_server() -> None:
    async def scene() -> None:
        live = Live()
        inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        sent: list[str] = []

        async def send(message: Any) -> None:
            sent.append(message["type"])

        for what in ("startup", "shutdown"):
            inbox.put_nowait({"type": f"lifespan.{what}"})
        await live({"type": "lifespan"}, inbox.get, send)

        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert live._subscriber
        assert not live._subscriber.is_alive()

    run(scene())


def test_without_that_it_starts_with_the_first_request() -> None:
    async def scene() -> None:
        live = Live()
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

        scope = {
            "type": "http", "method": "GET", "path": "/healthz", "query_string": b"", "headers": [],
        }  # fmt: skip
        await live(scope, receive, send)

        assert live._tasks
        assert sent[0]["status"] == 200
        assert sent[1]["body"] == b"ok"
        live.close()
        live.join(30)

    run(scene())


def test_news_that_come_after_the_end_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    live, loop = Live(), asyncio.new_event_loop()
    loop.close()
    monkeypatch.setattr(channels, "topic_of", lambda topic, payload: "lamp:a")

    def news(pattern: str, stop: object) -> Iterator[messaging.Event]:
        yield messaging.Event("lamp.lit", {})
        raise AssertionError("there is nobody to ask for")

    monkeypatch.setattr(messaging, "subscribe", news)

    live._subscribe(loop)


def test_it_speaks_nothing_but_http() -> None:
    async def nothing(*_: Any) -> Any:
        return None

    with pytest.raises(ValueError, match="no websocket here"):
        run(Live()({"type": "websocket"}, nothing, nothing))


@pytest.mark.parametrize(
    ("setting", "address"),
    [("", "/live/"), ("http://localhost:8001", "http://localhost:8001/live/")],
)
def test_pages_say_where_the_stream_is(settings: Any, setting: str, address: str) -> None:
    settings.LIVE_URL = setting

    assert Template("{% load live %}{% live_address %}").render(Context()) == address


@pytest.mark.django_db
def test_every_page_says_where_the_stream_is(client: Client) -> None:
    page = client.get("/").content.decode()

    assert '<meta name="live" content="/live/">' in page
    assert "js/live.js" in page
