"""From an address to a store."""

from __future__ import annotations

from urllib.parse import urlsplit

from apps.caching.stores.memcached import MemcachedStore
from apps.caching.stores.memory import MemoryStore
from apps.caching.stores.protocol import Store
from apps.caching.stores.redis import RedisStore

REDIS = {"redis", "rediss", "valkey", "valkeys", "unix"}
SCHEMES = sorted({*REDIS, "memcached", "memory"})


def open_store(url: str, *, timeout: float) -> Store:
    """Return the store at `url`, without connecting yet. Raises ValueError for a wrong address."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore(f"memory://{parts.netloc}")
    where = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in SCHEMES or not where:
        raise ValueError(f"{parts.scheme}://{where or ''} is none of {', '.join(SCHEMES)}")
    kind = RedisStore if parts.scheme in REDIS else MemcachedStore
    return kind(url, timeout=timeout)
