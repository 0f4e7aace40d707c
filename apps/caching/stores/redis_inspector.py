"""Looking at a Redis or Valkey server: INFO, CONFIG GET and SCAN, which holds nobody up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis

from apps.caching.stores.inspection import Facts
from apps.caching.stores.protocol import StoreAway

PIECE = 1000


class RedisInspector:
    """The commands that a managed server forbids are done without."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def facts(self) -> Facts:
        try:
            info: dict[str, Any] = self._client.info()
            items: int = self._client.dbsize()
            settings = self._settings()
        except (redis.RedisError, OSError) as error:
            raise StoreAway(str(error)) from error
        return Facts(
            software=_software(info),
            uptime=info.get("uptime_in_seconds"),
            items=items,
            memory_used=info.get("used_memory"),
            memory_limit=info.get("maxmemory"),
            policy=info.get("maxmemory_policy"),
            evictions=info.get("evicted_keys"),
            hits=info.get("keyspace_hits"),
            misses=info.get("keyspace_misses"),
            concerns=tuple(concerns(info, settings)),
        )

    def keys(self, prefix: str) -> Iterator[str]:
        # A prefix holds none of the characters that mean something in a pattern.
        try:
            for key in self._client.scan_iter(match=f"{prefix}*", count=PIECE):
                yield key.decode("ascii", "replace")
        except (redis.RedisError, OSError) as error:
            raise StoreAway(str(error)) from error

    def close(self) -> None:
        self._client.close()

    def _settings(self) -> dict[str, str]:
        try:
            settings: dict[str, str] = self._client.config_get("save", "appendonly")
        except redis.ResponseError:
            return {}  # forbidden, as on many a managed server: INFO has to do
        return settings


def concerns(info: dict[str, Any], settings: dict[str, str]) -> Iterator[str]:
    """Yield what makes this server a bad cache, each with the setting that mends it."""
    if not info.get("maxmemory"):
        yield "its memory has no limit: set maxmemory"
    policy = str(info.get("maxmemory_policy", ""))
    if policy and not policy.startswith("allkeys-"):
        yield f"maxmemory-policy is {policy}, so a full memory refuses entries: set allkeys-lfu"
    if settings.get("save"):
        yield "it saves itself to disk, so a restart brings old versions back: set save ''"
    if info.get("aof_enabled") or settings.get("appendonly") == "yes":
        yield "it logs to disk, so a restart brings old versions back: set appendonly no"
    if info.get("role") == "slave":
        yield "it is a replica and refuses writes: name its primary"
    if info.get("connected_slaves"):
        yield "it has replicas: a failover to one that lags brings old versions back"


def _software(info: dict[str, Any]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', '?')}"
