"""Redis and Valkey. The commands are those that both know: MGET, SET with NX and PX, DEL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.caching.stores.protocol import Item, Refused, StoreAway

T = TypeVar("T")
# The defaults of the client (five seconds, ten times over) turn a cache that is down into a
# site that is down.
_LIMITS: dict[str, Any] = {"health_check_interval": 0, "max_connections": 1024}


class RedisStore:
    """One server, through one pool that all threads share and that notices a fork."""

    def __init__(self, url: str, *, timeout: float = 0.1) -> None:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self._name = f"unix://{parts.path}?{parts.query}"
        else:
            self._name = f"redis://{parts.hostname}:{parts.port or 6379}{parts.path or '/0'}"
        address = url.replace("valkey", "redis", 1) if parts.scheme.startswith("valkey") else url
        self._client: Any = redis.Redis.from_url(
            address,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            **_LIMITS,
        )

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        return self._read(lambda: list(self._client.mget(keys)))

    def put(self, items: Iterable[Item]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for item in items:
            pipe.set(item.key, item.value, px=_milliseconds(item.seconds))
        _once(pipe.execute)

    def add(self, items: Sequence[Item]) -> list[bool]:
        pipe = self._client.pipeline(transaction=False)
        for item in items:
            pipe.set(item.key, item.value, px=_milliseconds(item.seconds), nx=True)
        return [bool(answer) for answer in _once(pipe.execute)]

    def drop(self, keys: Sequence[str]) -> None:
        _once(lambda: self._client.delete(*keys))

    def close(self) -> None:
        self._client.close()

    def _read(self, command: Callable[[], T]) -> T:
        try:
            return _once(command)
        except StoreAway as error:
            # A server that was restarted leaves dead connections in the pool. A time-out is not
            # that: asking a frozen server twice only waits twice.
            if isinstance(error.__cause__, redis.TimeoutError):
                raise
            self._client.connection_pool.disconnect(inuse_connections=False)
            return _once(command)


def _milliseconds(seconds: float) -> int | None:
    return max(1, int(seconds * 1000)) if seconds else None


def _once(command: Callable[[], T]) -> T:
    try:
        return command()
    except (redis.OutOfMemoryError, redis.DataError) as error:
        raise Refused(str(error)) from error
    except (redis.RedisError, OSError) as error:
        raise StoreAway(str(error)) from error
