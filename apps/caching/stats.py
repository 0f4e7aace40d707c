"""What each decorated function counted in this process."""

from __future__ import annotations

import threading
from collections import Counter

# One lock for all: it is held for a dictionary update, and statistics should add up.
_lock = threading.Lock()
_counters: dict[str, Counter[str]] = {}


def count(function: str, what: str, amount: float = 1) -> None:
    with _lock:
        _counters.setdefault(function, Counter())[what] += amount  # type: ignore[assignment]


def counted() -> dict[str, dict[str, float]]:
    """Return a copy: function, then what was counted."""
    with _lock:
        return {name: dict(counter) for name, counter in sorted(_counters.items())}


def reset() -> None:
    with _lock:
        _counters.clear()
