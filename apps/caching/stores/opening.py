"""From an address to a store."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from apps.caching.stores.memcached import MemcachedStore
from apps.caching.stores.memory import MemoryStore
from apps.caching.stores.protocol import Store
from apps.caching.stores.redis import RedisStore

REDIS = {"redis", "rediss", "valkey", "valkeys", "unix"}
DATABASE = re.compile(r"/\d*")
SCHEMES = sorted({*REDIS, "memcached", "memory"})


def open_store(url: str, *, timeout: float) -> Store:
    """Return the store at `url`, without connecting yet. Raises ValueError for a wrong address."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore(f"memory://{parts.netloc}")
    where = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in SCHEMES or not where:
        raise ValueError(f"{parts.scheme}://{where or ''} is none of {', '.join(SCHEMES)}")
    # What a client would pass over in silence would make two names of one server.
    if wrong := _passed_over(parts):
        raise ValueError(f"{parts.scheme}://{where} has {wrong}")
    kind = RedisStore if parts.scheme in REDIS else MemcachedStore
    return kind(url, timeout=timeout)


def _passed_over(parts: SplitResult) -> str:
    """Return what the client of this kind of server would not look at, or understand otherwise."""
    if parts.scheme == "memcached":
        if parts.username or parts.password:
            return "a password, which Memcached is not asked for"
        return "a path or a query, which Memcached has no use for" * bool(parts.path or parts.query)
    if parts.scheme != "unix" and "db" in parse_qs(parts.query):
        return "its database in the query: write it as the path, /0"
    if parts.scheme != "unix" and parts.path and not DATABASE.fullmatch(parts.path):
        return "a path that is no number of a database, as /0 is"
    return ""
