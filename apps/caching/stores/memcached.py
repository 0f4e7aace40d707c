"""Memcached, through plain connections that are lent to one command at a time.

The layer places keys itself, so the client's pool and hash ring are not used. Nor is its reading of
many values: it takes several times what the server takes.
"""

from __future__ import annotations

from collections import defaultdict
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

from apps.caching.stores.lending import Lending
from apps.caching.stores.memcached_inspector import MemcachedInspector
from apps.caching.stores.memcached_reader import Reader
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
        self._readers = Lending(lambda: Reader(self._address, timeout), Reader.close)
        self._writers: Lending[Any] = Lending(self._client, Client.close)

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        try:
            return self._readers.ask(Reader.get, keys)
        except TimeoutError as error:
            raise StoreAway(str(error)) from error
        except OSError:
            # The server was restarted and this connection is of the old one. Not after a
            # time-out: asking a frozen server twice only waits twice.
            self.close()
        try:
            return self._readers.ask(Reader.get, keys)
        except OSError as error:
            raise StoreAway(str(error)) from error

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

    def inspector(self, *, timeout: float) -> MemcachedInspector:
        return MemcachedInspector(self._address, timeout=timeout)

    def close(self) -> None:
        self._readers.drop_idle()
        self._writers.drop_idle()

    def _client(self) -> Client:
        return Client(
            self._address, connect_timeout=self._timeout, timeout=self._timeout, no_delay=True
        )

    def _once(self, command: Callable[[Any], T]) -> T:
        try:
            return self._writers.ask(_apply, command)
        except (MemcacheUnexpectedCloseError, OSError) as error:
            # It is not sent again, but the next write must not find another dead connection.
            self.close()
            raise StoreAway(str(error)) from error
        except (MemcacheClientError, MemcacheServerError) as error:
            raise Refused(str(error)) from error
        except MemcacheError as error:
            raise StoreAway(str(error)) from error


def _apply(client: Any, command: Callable[[Any], T]) -> T:
    return command(client)


def _set_many(values: dict[str, bytes], seconds: int) -> Callable[[Any], list[str]]:
    return lambda client: client.set_many(values, expire=seconds, noreply=False)


def _add(item: Item) -> Callable[[Any], bool]:
    return lambda client: client.add(
        item.key, item.value, expire=_whole(item.seconds), noreply=False
    )


def _whole(seconds: float) -> int:
    return min(max(1, round(seconds)), LONGEST) if seconds else 0
