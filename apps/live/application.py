"""The live process, put together: one hub, one door, one subscription to the broker."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps import messaging
from apps.live import admission, channels
from apps.live.hub import Hub
from apps.live.stream import Door, Limits, Receive, Scope, Send

# Publications are lossy by design. Whatever got lost is true again on every page after this.
LOOK_AGAIN = 60.0
# What `messaging.subscribe` says after it had lost the broker.
GAP = "messaging.gap"
# Seconds for the subscription to end. A broker that is away may take longer; then it ends alone.
PATIENCE = 2.0


class Live:
    """An ASGI application of its own: pages stay with the web process, which is faster at them."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.hub = Hub(admission.read)
        self._door = Door(
            hub=self.hub,
            admit=admission.admit,
            origin=origin_of(settings.SITE_URL),
            limits=limits or _limits(),
            behind_proxy=settings.TRUST_PROXY,
        )
        self._stop = threading.Event()
        self._subscriber: threading.Thread | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._armed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            # Not every server tells of its life before it sends requests.
            self.start()
            self._end_with(signal.SIGTERM, signal.SIGINT)
            await self._door(scope, receive, send)
        else:
            raise ValueError(f"no {scope['type']} here")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.close()
                # The interpreter had better not end while a thread of it still talks to a server.
                await asyncio.to_thread(self.join, PATIENCE)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def start(self) -> None:
        if self._tasks:
            return
        self._tasks = [asyncio.create_task(self._look_again())]
        # A thread, because kombu waits for the broker in blocking calls.
        self._subscriber = threading.Thread(
            target=self._subscribe,
            args=(asyncio.get_running_loop(),),
            name="live-subscriber",
            daemon=True,
        )
        self._subscriber.start()

    def close(self) -> None:
        self._stop.set()
        self.hub.close()
        self._door.close()
        for task in self._tasks:
            task.cancel()

    def join(self, seconds: float) -> None:
        """Wait for the thread of the subscription, which sees after a moment that it shall end."""
        if self._subscriber is not None:
            self._subscriber.join(seconds)

    def _end_with(self, *signals: signal.Signals) -> None:
        """End the streams when the process is told to stop: the server waits for them to end.

        This is the handler of the interpreter. The server's own is one of the event loop, which
        hears of the signal by another way (its wake-up descriptor), so that one still runs.
        """
        if self._armed or threading.current_thread() is not threading.main_thread():
            return
        self._armed = True
        loop = asyncio.get_running_loop()
        for number in signals:
            before = signal.getsignal(number)

            def end(number: int, frame: FrameType | None, before: Any = before) -> None:
                loop.call_soon_threadsafe(self.close)
                if callable(before):
                    before(number, frame)

            signal.signal(number, end)
            # As the loop does: system calls go on after the signal.
            signal.siginterrupt(number, False)  # noqa: FBT003

    def _subscribe(self, loop: asyncio.AbstractEventLoop) -> None:
        for event in messaging.subscribe("#", stop=self._stop):
            if self._stop.is_set():
                return
            try:
                if event.topic == GAP:
                    loop.call_soon_threadsafe(self.hub.changed_all)
                elif topic := channels.topic_of(event.topic, event.payload):
                    loop.call_soon_threadsafe(self.hub.changed, topic)
            except RuntimeError:  # the loop is closed: whoever ran it waited for no thread
                return

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            self.hub.changed_all()


def _limits() -> Limits:
    return Limits(
        per_person=settings.LIVE_STREAMS_PER_PERSON, per_address=settings.LIVE_STREAMS_PER_ADDRESS
    )


def origin_of(url: str) -> str:
    """Write it as browsers do in `Origin`: without path, and without the port that is usual."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}"
