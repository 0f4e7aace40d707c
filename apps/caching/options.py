"""What the layer is told by the site: `settings.CACHING`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

MOST_THREADS = 64
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
SAFE = re.compile(r"[A-Za-z0-9_.@-]{1,32}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Each field is a key of `settings.CACHING` in capitals; all have a default."""

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
        for name, pattern in (("prefix", SAFE), ("version", SAFE), ("header", HEADER)):
            if not pattern.fullmatch(getattr(self, name)):
                raise ValueError(f"{name.upper()} must match {pattern.pattern}")
        if not self.servers:
            raise ValueError("SERVERS must name at least one server")
        if self.background_threads not in range(MOST_THREADS + 1):
            raise ValueError(f"BACKGROUND_THREADS must be a number from 0 to {MOST_THREADS}")
        if not isinstance(self.durable, bool):
            raise ValueError("DURABLE must be True or False")  # noqa: TRY004 - as every other
        for name in ("sweep_seconds", "rewrite_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name.upper()} must be more than 0")


def read_options(raw: Mapping[str, object]) -> Options:
    """Return the options in a `CACHING` setting, or raise ValueError for one that is wrong."""
    known = {field.name.upper(): field.name for field in fields(Options)}
    if unknown := sorted(set(raw) - set(known)):
        raise ValueError(f"unknown keys: {', '.join(unknown)}")
    values: dict[str, object] = {known[name]: value for name, value in raw.items()}
    for name in ("servers", "origins"):
        if isinstance(listed := values.get(name), list):
            values[name] = tuple(listed)
    return Options(**values)  # type: ignore[arg-type]
