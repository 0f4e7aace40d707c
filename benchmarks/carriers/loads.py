"""What the jobs of these benchmarks do, whoever carries them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from apps import messaging
from tests.support.chaos import do_work


def carry(number: int) -> None:
    """A piece of work that the ledger knows of."""
    do_work(number)


def nothing() -> None:
    """What is left is the price of carrying."""


def tell_time(since: float) -> None:
    """Write how long ago that was, and when it is now."""
    now = time.time()
    with Path(os.environ["CARRIER_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{now - since!r} {now!r}\n")


LOADS = {"carry": carry, "nothing": nothing, "tell_time": tell_time}


@messaging.job(queue="default")
def ours_carry(*, number: int) -> None:
    carry(number)


@messaging.job(queue="default")
def ours_nothing() -> None:
    nothing()


@messaging.job(queue="default")
def ours_tell_time(*, since: float) -> None:
    tell_time(since)
