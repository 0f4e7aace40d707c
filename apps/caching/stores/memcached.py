"""Memcached, through plain clients that are lent to one command at a time.

pymemcache's own pool and hash ring are slower than the server they talk to; the layer places keys
itself.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pymemcache.client.base import Client
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheError,
    MemcacheServerError,
    MemcacheUnexpectedCloseError,
)

from apps.caching.stores.protocol import Item, Refused, StoreAway

T = TypeVar("T")
# Memcached takes a larger number for a date.
LONGEST = 30 * 24 * 3600


class MemcachedStore:
    """One server. Seconds are whole there, so times are rounded to at least one."""

    def __init__(self, url: str, *, timeout: float = 0.1) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 11211)
        self._name = f"memcached://{self._address[0]}:{self._address[1]}"
        self._timeout = timeout
        self._pid = os.getpid()
        self._idle: deque[Any] = deque()

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        try:
            found = self._once(lambda client: client.get_many(keys))
        except StoreAway as error:
            # The server was restarted and this connection is of the old one. Not after a
            # time-out: asking a frozen server twice only waits twice.
            if isinstance(error.__cause__, TimeoutError):
                raise
            found = self._once(lambda client: client.get_many(keys))
        return [found.get(key) for key in keys]

    def put(self, items: Iterable[Item]) -> None:
        by_seconds: dict[int, dict[str, bytes]] = defaultdict(dict)
        for item in items:
            by_seconds[_whole(item.seconds)][item.key] = item.value
        for seconds, values in by_seconds.items():
            if self._once(_set_many(values, seconds)):
                raise Refused("some items were not stored")

    def add(self, items: Sequence[Item]) -> list[bool]:
        return [bool(self._once(_add(item))) for item in items]

    def drop(self, keys: Sequence[str]) -> None:
        self._once(lambda client: client.delete_many(keys, noreply=False))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _once(self, command: Callable[[Any], T]) -> T:
        client = self._borrow()
        try:
            return command(client)
        except (MemcacheUnexpectedCloseError, OSError) as error:
            raise StoreAway(str(error)) from error
        except (MemcacheClientError, MemcacheServerError) as error:
            raise Refused(str(error)) from error
        except MemcacheError as error:
            raise StoreAway(str(error)) from error
        except BaseException:
            # Interrupted from outside, by a time limit for example: the client has not closed its
            # socket, and what is left of this answer would be read as that to the next question.
            client.close()
            raise
        finally:
            # After an error it has closed its socket, and connects again when it is next used.
            self._idle.append(client)

    def _borrow(self) -> Any:
        if self._pid != os.getpid():
            # A socket inherited over a fork would carry two conversations at once.
            self._pid = os.getpid()
            self.close()
        try:
            return self._idle.pop()
        except IndexError:
            return Client(
                self._address, connect_timeout=self._timeout, timeout=self._timeout, no_delay=True
            )


def _set_many(values: dict[str, bytes], seconds: int) -> Callable[[Any], list[str]]:
    return lambda client: client.set_many(values, expire=seconds, noreply=False)


def _add(item: Item) -> Callable[[Any], bool]:
    return lambda client: client.add(
        item.key, item.value, expire=_whole(item.seconds), noreply=False
    )


def _whole(seconds: float) -> int:
    return min(max(1, round(seconds)), LONGEST) if seconds else 0
