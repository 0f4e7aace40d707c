"""Wait for a condition with a deadline: the only clock that tests may lean on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


# A deadline costs time only in a test that fails: none is so short that a busy machine meets it.
LEAST = 60.0


def wait_until(condition: Callable[[], T], *, seconds: float = LEAST, what: str = "") -> T:
    """Return the first true answer of `condition`, asked every 20 ms.

    Fails after `seconds`, or a minute if they are fewer.
    """
    seconds = max(seconds, LEAST)
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)


def wait_at_most(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for a condition; false if it did not come true in time, which fails nothing."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def work_for(seconds: float) -> None:
    """Take so long: for jobs that stand for work, never for a test that waits."""
    time.sleep(seconds)
