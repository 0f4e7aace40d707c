"""What the layer is told by the site: `settings.CACHING`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from apps.caching.rules import faults


@dataclass(frozen=True, kw_only=True)
class Options:
    """Each field is a key of `settings.CACHING` in capitals; all have a default.

    Raises ValueError for a value that `rules` does not allow.
    """

    servers: tuple[str, ...] = ("memory://",)
    prefix: str = "cache"
    version: str = "1"
    socket_timeout: float = 0.1
    compress_from: int = 2048
    max_bytes: int = 1_000_000  # Memcached refuses an item of more than 1 MiB, key and all
    jitter: float = 0.1
    lease_seconds: float = 10.0
    background_threads: int = 2  # 0: what nobody should wait for is done in the caller's thread
    report_seconds: float = 10.0  # how often a process reports its counts; 0: never
    durable: bool = True  # invalidations are written to the database until they are delivered
    sweep_seconds: float = 2.0  # how often a worker delivers what others left undelivered
    origins: tuple[str, ...] = ()  # whole pages are kept for these alone; none: for every host
    header: str = "X-Cache"  # in which `CacheHeaders` says what the cache did
    rewrite_queue: str = ""  # the Celery queue of `refresh=REWRITE`; "": nothing is rewritten
    rewrite_seconds: float = 1.0  # a tag is rewritten no more often than once in so long

    def __post_init__(self) -> None:
        if found := faults(
            {field.name.upper(): getattr(self, field.name) for field in fields(self)}
        ):
            raise ValueError("; ".join(map(str, found)))


def read_options(raw: Mapping[str, object]) -> Options:
    """Return the options in a `CACHING` setting, or raise ValueError for one that is wrong."""
    if found := faults(raw):
        raise ValueError("; ".join(map(str, found)))
    values: dict[str, Any] = {
        key.lower(): tuple(value) if isinstance(value, list) else value
        for key, value in raw.items()
    }
    return Options(**values)
