"""Redis and Valkey. The commands are those that both know: MGET, SET with NX and PX, DEL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.caching.stores.lending import Lending
from apps.caching.stores.protocol import Item, Refused, StoreAway
from apps.caching.stores.redis_inspector import RedisInspector

T = TypeVar("T")
# The defaults of the client (five seconds, ten times over) turn a cache that is down into a
# site that is down.
_LIMITS: dict[str, Any] = {"health_check_interval": 0, "max_connections": 1024}


class RedisStore:
    """One server. Writes go through the client's pool; reads, which are many, past it.

    Two thirds of what the client takes for one GET is spent on its pool, its retries and its
    measuring, not on the server.
    """

    def __init__(self, url: str, *, timeout: float = 0.1) -> None:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self._name = f"unix://{parts.path}?{parts.query}"
        else:
            self._name = f"redis://{parts.hostname}:{parts.port or 6379}{parts.path or '/0'}"
        valkey = parts.scheme.startswith("valkey")
        self._address = url.replace("valkey", "redis", 1) if valkey else url
        self._client = self._open(timeout)
        self._readers = Lending(self._connect, _disconnect)

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        command = _mget(keys)
        try:
            return self._read(command)
        except StoreAway as error:
            # A server that was restarted leaves dead connections behind. A time-out is not that:
            # asking a frozen server twice only waits twice.
            if isinstance(error.__cause__, redis.TimeoutError):
                raise
            self._readers.drop_idle()
            return self._read(command)

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

    def inspector(self, *, timeout: float) -> RedisInspector:
        return RedisInspector(self._open(timeout))

    def close(self) -> None:
        self._readers.drop_idle()
        self._client.close()

    def _connect(self) -> Any:
        pool = self._client.connection_pool
        return pool.connection_class(**pool.connection_kwargs)

    def _open(self, timeout: float) -> Any:
        return redis.Redis.from_url(
            self._address,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            **_LIMITS,
        )

    def _read(self, command: list[bytes]) -> list[bytes | None]:
        try:
            return self._readers.ask(_ask, command)
        except (redis.RedisError, OSError) as error:
            raise _ours(error) from error


def _mget(keys: Sequence[str]) -> list[bytes]:
    # Packed by hand, in a third of the client's time. Keys are ASCII, so letters are bytes.
    words = "".join([f"${len(key)}\r\n{key}\r\n" for key in keys])
    return [f"*{len(keys) + 1}\r\n$4\r\nMGET\r\n{words}".encode("ascii")]


def _ask(connection: Any, command: list[bytes]) -> list[bytes | None]:
    connection.send_packed_command(command, check_health=False)
    answer: list[bytes | None] = connection.read_response()
    return answer


def _disconnect(connection: Any) -> None:
    connection.disconnect()


def _milliseconds(seconds: float) -> int | None:
    return max(1, int(seconds * 1000)) if seconds else None


def _once(command: Callable[[], T]) -> T:
    try:
        return command()
    except (redis.RedisError, OSError) as error:
        raise _ours(error) from error


def _ours(error: Exception) -> Exception:
    refused = isinstance(error, redis.OutOfMemoryError | redis.DataError)
    return Refused(str(error)) if refused else StoreAway(str(error))
