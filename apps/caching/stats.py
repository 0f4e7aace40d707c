"""What this process counted: of each decorated function, and of each server."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping

from apps.caching.events import Counted, is_heard, tell

# One lock for all: it is held for a dictionary update, and statistics should add up.
_lock = threading.Lock()
_counters: dict[str, Counter[str]] = {}
_of_servers: dict[str, Counter[str]] = {}


def count(function: str, what: str, amount: float = 1) -> None:
    with _lock:
        _counters.setdefault(function, Counter())[what] += amount  # type: ignore[assignment]
    if is_heard():
        tell(Counted(function, what, amount))


def count_all(function: str, amounts: Mapping[str, float]) -> None:
    """Count several things of one function: a hit, or a batch of them."""
    with _lock:
        counter = _counters.setdefault(function, Counter())
        for what, amount in amounts.items():
            counter[what] += amount  # type: ignore[assignment]
    if is_heard():
        for what, amount in amounts.items():
            tell(Counted(function, what, amount))


def count_on(server: str, what: str, amount: int = 1) -> None:
    """Count what happened to a server: nothing of this is on the way of a hit."""
    with _lock:
        _of_servers.setdefault(server, Counter())[what] += amount


def counted_on() -> dict[str, dict[str, float]]:
    """Return a copy: server, then what was counted."""
    with _lock:
        return {name: dict(counter) for name, counter in sorted(_of_servers.items())}


def counted() -> dict[str, dict[str, float]]:
    """Return a copy: function, then what was counted."""
    with _lock:
        return {name: dict(counter) for name, counter in sorted(_counters.items())}


def reset() -> None:
    with _lock:
        _counters.clear()
        _of_servers.clear()


def _start_anew() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()
    # What the parent counted it reports itself.
    _counters.clear()
    _of_servers.clear()


os.register_at_fork(after_in_child=_start_anew)
