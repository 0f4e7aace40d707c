"""What should be in the cache before the first visitor comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from apps.caching.answering import refresh
from apps.caching.calls import Call

logger = logging.getLogger(__name__)
Prefill = Callable[[], Iterable[Call[Any]]]
prefills: dict[str, Prefill] = {}


def prefill(function: Prefill) -> Prefill:
    """Register a function that yields the calls worth having ready.

    Put it beside the functions it names, in a `widgets` module of an installed app.
    """
    prefills[f"{function.__module__}.{function.__qualname__}"] = function
    return function


@dataclass(frozen=True)
class Filled:
    """What one prefill did."""

    name: str
    entries: int
    failures: int
    seconds: float


def run_prefills() -> Iterable[Filled]:
    """Compute and store every call that a prefill names; yield one report for each prefill."""
    for name, function in sorted(prefills.items()):
        started = time.perf_counter()
        outcomes = [_fill(call) for call in function()]
        entries = sum(outcomes)
        yield Filled(name, entries, len(outcomes) - entries, time.perf_counter() - started)


def _fill(call: Call[Any]) -> bool:
    try:
        refresh(call)
    except Exception:
        # One page that is broken must not leave all the others cold.
        logger.exception("%r could not be computed", call)
        return False
    return True
