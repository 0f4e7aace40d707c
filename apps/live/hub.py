"""One reader per topic, however many browsers listen: the live process without its server.

Everything here runs in one event loop, so nothing needs a lock. A listener holds the *set* of its
topics that changed, not a queue of messages: a browser that reads slowly skips to the newest state,
and its memory is bounded by the number of its topics.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

logger = logging.getLogger(__name__)


class Key(NamedTuple):
    topic: str
    language: str


Read = Callable[[Key], Awaitable[bytes | None]]


class Update(NamedTuple):
    """What a listener is told: the state as JSON, or None when the thing is gone."""

    topic: str
    state: bytes | None


@dataclass(eq=False)
class _Topic:
    key: Key
    listeners: set[Listener] = field(default_factory=set)
    state: bytes | None = None
    # Of the state: taken once, however many are told.
    digest: str = ""
    # Changes heard of, and how many of them the state already shows.
    heard: int = 0
    shown: int = 0
    reader: asyncio.Task[None] | None = None


class Listener:
    """One open stream; made by `Hub.join`."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = list(keys)
        self.closed = False
        self._changed: dict[str, _Topic] = {}
        self._sent: dict[str, str] = {}
        self._bell = asyncio.Event()

    async def wait(self, *, seconds: float) -> list[Update]:
        """Give what changed since the last call; nothing when the time is over or the stream is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.closed:
                    if updates := list(self._news()):
                        return updates
                    self._bell.clear()
                    await self._bell.wait()
        return []

    def fingerprint(self) -> str:
        """Name what this listener has been told, the same in every process."""
        told = "|".join(f"{topic}={digest}" for topic, digest in sorted(self._sent.items()))
        return _digest_of(told.encode())

    def ring(self, topic: _Topic) -> None:
        self._changed[topic.key.topic] = topic
        self._bell.set()

    def close(self) -> None:
        self.closed = True
        self._bell.set()

    def _news(self) -> Iterator[Update]:
        changed, self._changed = self._changed, {}
        for name, topic in changed.items():
            if self._sent.get(name) == topic.digest:
                continue
            self._sent[name] = topic.digest
            yield Update(name, topic.state)


class Hub:
    """Knows who listens to what. `read` fetches one topic's state, off the loop."""

    def __init__(self, read: Read) -> None:
        self._read = read
        # By name, then by language.
        self._topics: dict[str, dict[str, _Topic]] = {}
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self, keys: Iterable[Key]) -> Listener:
        """Listen. The current state of every topic is the first thing `wait` gives.

        It is read after joining, so no change can fall between the two.
        """
        listener = Listener(keys)
        self._listeners.add(listener)
        for key in listener.keys:
            languages = self._topics.setdefault(key.topic, {})
            topic = languages.setdefault(key.language, _Topic(key))
            topic.listeners.add(listener)
            self._look_again(topic)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        for key in listener.keys:
            languages = self._topics.get(key.topic, {})
            topic = languages.get(key.language)
            if topic is None:
                continue
            topic.listeners.discard(listener)
            if not topic.listeners:
                del languages[key.language]
            if not languages:
                del self._topics[key.topic]

    def changed(self, name: str) -> None:
        """Look at a topic again, in every language somebody listens in."""
        for topic in self._topics.get(name, {}).values():
            self._look_again(topic)

    def changed_all(self) -> None:
        """Look at everything again: for a while we may have heard nothing."""
        for name in self._topics:
            self.changed(name)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _look_again(self, topic: _Topic) -> None:
        topic.heard += 1
        if topic.reader is None:
            topic.reader = asyncio.create_task(self._follow(topic))

    async def _follow(self, topic: _Topic) -> None:
        """Read until nothing changed while reading. One read at a time keeps the newest on top."""
        try:
            while topic.shown < topic.heard and topic.listeners:
                heard = topic.heard
                topic.state = await self._read(topic.key)
                topic.digest = _digest_of(topic.state or b"")
                topic.shown = heard
                for listener in topic.listeners:
                    listener.ring(topic)
        except Exception:
            # Without the database there is no truth to tell: the browsers come back by themselves.
            logger.exception("live.unreadable topic=%s", topic.key.topic)
            for listener in topic.listeners:
                listener.close()
        finally:
            topic.reader = None


def _digest_of(told: bytes) -> str:
    return hashlib.blake2b(told, digest_size=9).hexdigest()
