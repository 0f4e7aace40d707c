"""A real live process, a real broker, and many browsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps import messaging
from apps.accounts.models import User
from apps.live.application import LOOK_AGAIN
from apps.photos import services as photos
from apps.photos.models import Photo
from devstack.servers import Valkey
from tests.integration.live.conftest import StartLive
from tests.support.live import Refused, crowd, listen
from tests.support.photos import make_photo, make_renditions
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

MANY = 200


@pytest.fixture
def photo(transactional_db: None, ada: User) -> Photo:
    return make_photo(ada, state="developing")


@pytest.fixture
def cookie(ada: User) -> str:
    """The cookie of ada, who is logged in."""
    return cookie_of(ada)


def cookie_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return f"sessionid={client.cookies['sessionid'].value}"


def topic_of(photo: Photo) -> str:
    return f"photo:{photo.pk}"


def develop(photo: Photo, *, tell: bool = True) -> None:
    """Do as the image worker does when it is ready; `tell` leaves out the publication."""
    Photo.objects.filter(pk=photo.pk).update(
        state="ready", width=3, height=2, renditions=make_renditions(), published_at=timezone.now()
    )
    if tell:
        messaging.publish("photo.developed", {"photo": str(photo.pk)})


def run(scene: Coroutine[Any, Any, None]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(240):
            await scene

    asyncio.run(in_time())


async def in_thread(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call what asks the database or waits, from an async scene; leave no connection behind."""

    def called() -> Any:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(called)


async def see_subscription(broker_url: str = "") -> None:
    """Wait until the process listens to the broker; before that it hears nothing."""

    def is_subscribed() -> bool:
        with redis.Redis.from_url(broker_url or settings.BROKER_URL) as broker:
            mine = str(broker.get_connection_kwargs()["db"])
            return any(c["db"] == mine and c["psub"] != "0" for c in broker.client_list())

    await in_thread(wait_until, is_subscribed, what="the subscription")


def test_two_hundred_browsers_hear_of_one_development(
    start_live: StartLive, photo: Photo, cookie: str, interface: str
) -> None:
    live = start_live(interface=interface)

    async def scene() -> None:
        async with crowd(MANY, live.port, topic_of(photo), cookie=cookie) as browsers:
            assert {await browser.state() for browser in browsers} == {"developing"}
            await see_subscription()

            began = time.monotonic()
            await in_thread(develop, photo)
            told = [await browser.state() for browser in browsers]

            assert told == ["ready"] * MANY
            # Told, and not found out by looking again.
            assert time.monotonic() - began < LOOK_AGAIN / 2

    run(scene())


def test_two_hundred_browsers_are_one_subscription(
    start_live: StartLive, photo: Photo, cookie: str
) -> None:
    live = start_live()

    def connections() -> int:
        assert live.process
        family = [live.process.pid] + [
            child.pid for child in psutil.Process(live.process.pid).children(recursive=True)
        ]
        port = int(settings.BROKER_URL.rsplit(":", 1)[1].split("/")[0])
        return sum(
            bool(connection.raddr) and connection.raddr.port == port
            for pid in family
            for connection in psutil.Process(pid).net_connections("tcp")
        )

    async def scene() -> None:
        async with await listen(live.port, topic_of(photo), cookie=cookie) as first:
            await first.event()
            await see_subscription()
            before = connections()

            async with crowd(MANY, live.port, topic_of(photo), cookie=cookie) as browsers:
                for browser in browsers:
                    await browser.event()

                assert connections() == before

    run(scene())


def test_only_those_who_may_look_may_listen(
    start_live: StartLive, photo: Photo, cookie: str, cyd: User
) -> None:
    live = start_live()
    stranger = cookie_of(cyd)

    async def scene() -> None:
        for headers in ({}, {"cookie": stranger}, {"cookie": "sessionid=made-up"}):
            with pytest.raises(Refused) as refusal:
                await listen(live.port, topic_of(photo), **headers)
            assert refusal.value.status == 404

        async with await listen(live.port, topic_of(photo), cookie=cookie) as browser:
            assert await browser.state() == "developing"

    run(scene())


def test_everybody_may_listen_to_what_is_published(
    start_live: StartLive, photo: Photo, ada: User
) -> None:
    live = start_live()
    published = make_photo(ada)

    async def scene() -> None:
        topics = topic_of(published), topic_of(photo)
        async with await listen(live.port, *topics) as visitor:
            event = await visitor.event()

        assert event["data"]["topic"] == topic_of(published)
        assert event["data"]["state"]["renditions"]

    run(scene())


def test_only_pages_of_the_site_may_listen(
    start_live: StartLive, photo: Photo, cookie: str
) -> None:
    live = start_live(SITE_URL="http://localhost:8000")

    async def scene() -> None:
        with pytest.raises(Refused) as refusal:
            await listen(live.port, topic_of(photo), cookie=cookie, origin="https://evil.example")
        assert refusal.value.status == 403

        async with await listen(
            live.port, topic_of(photo), cookie=cookie, origin="http://localhost:8000"
        ) as browser:
            assert browser.headers["access-control-allow-origin"] == "http://localhost:8000"
            assert browser.headers["access-control-allow-credentials"] == "true"
            assert browser.headers["x-accel-buffering"] == "no"

    run(scene())


def test_a_photo_that_is_deleted_is_told_to_be_gone(
    start_live: StartLive, photo: Photo, cookie: str
) -> None:
    live = start_live()

    async def scene() -> None:
        async with await listen(live.port, topic_of(photo), cookie=cookie) as browser:
            await browser.event()
            await see_subscription()

            topic = topic_of(photo)
            await in_thread(photos.delete_photo, photo=photo)
            event = await browser.event()

        assert (event["event"], event["data"]["topic"]) == ("gone", topic)

    run(scene())


def test_what_happened_while_the_broker_was_away_is_told_when_it_is_back(
    start_live: StartLive, photo: Photo, cookie: str, valkey_server: Valkey
) -> None:
    live = start_live(BROKER_URL=valkey_server.url(1))

    async def scene() -> None:
        async with await listen(live.port, topic_of(photo), cookie=cookie) as browser:
            assert await browser.state() == "developing"
            await see_subscription(valkey_server.url(1))

            valkey_server.kill()
            await in_thread(develop, photo, tell=False)
            await in_thread(valkey_server.start)

            assert await browser.state(seconds=30) == "ready"

    run(scene())


def test_when_it_stops_the_streams_end_and_the_browsers_come_back(
    start_live: StartLive, photo: Photo, cookie: str, interface: str
) -> None:
    live = start_live(interface=interface)

    async def scene() -> None:
        async with crowd(20, live.port, topic_of(photo), cookie=cookie) as browsers:
            seen = [await browser.event() for browser in browsers]

            live.ask_to_stop()
            for browser in browsers:
                await browser.ended()
            assert await in_thread(live.wait_dead, 60)

        await in_thread(develop, photo, tell=False)
        again = await in_thread(start_live, interface=interface)
        async with await listen(
            again.port, topic_of(photo), cookie=cookie, last_event_id=seen[0]["id"]
        ) as browser:
            assert await browser.state() == "ready"

    run(scene())


def test_browsers_that_vanish_are_let_go(start_live: StartLive, photo: Photo, cookie: str) -> None:
    live = start_live()

    def established() -> int:
        assert live.process
        worker = psutil.Process(live.process.pid).children(recursive=True)[-1]
        return sum(
            connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == live.port
            for connection in worker.net_connections("tcp")
        )

    async def scene() -> None:
        async with crowd(20, live.port, topic_of(photo), cookie=cookie) as browsers:
            for browser in browsers:
                await browser.event()
            assert established() == 20
            for browser in browsers:
                browser.writer.transport.abort()

    run(scene())

    wait_until(lambda: established() == 0, seconds=20, what="no connection left")


def test_the_log_has_no_complaint(
    start_live: StartLive, photo: Photo, cookie: str, tmp_path: Path
) -> None:
    live = start_live()

    async def scene() -> None:
        async with await listen(live.port, topic_of(photo), cookie=cookie) as browser:
            await browser.event()
        with pytest.raises(Refused):
            await listen(live.port, "photo:not-a-uuid", "nonsense", cookie=cookie)

    run(scene())
    live.ask_to_stop()
    assert live.wait_dead(60)

    log = live.log.read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
