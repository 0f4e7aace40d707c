"""What an operator may ask of a server, and no page ever does: see `surveying`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class CannotTell(Exception):
    """The server answered, and does not list its keys."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a server says of itself. None: it does not say. `concerns` are what is wrong with it."""

    software: str
    uptime: int | None = None
    items: int | None = None  # all it holds, also what is not ours
    memory_used: int | None = None
    memory_limit: int | None = None  # 0: none
    longest_item: int | None = None
    policy: str | None = None  # what gives way when the memory is full
    evictions: int | None = None
    hits: int | None = None
    misses: int | None = None
    concerns: tuple[str, ...] = ()


class Inspector(Protocol):
    """One conversation with a server, on a connection of its own and with patience.

    Every method raises StoreAway.
    """

    def facts(self) -> Facts:
        """Return what the server says of itself."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, some twice perhaps. Raises CannotTell."""

    def close(self) -> None:
        """Give the connection back."""


@runtime_checkable
class Inspectable(Protocol):
    """A store that an operator can look into, beside what every store does."""

    def inspector(self, *, timeout: float) -> Inspector:
        """Return what looks at the server, without connecting yet."""
