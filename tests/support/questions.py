"""Questions that the tests ask of real workers: what was worked on stands in a file, too."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from apps import messaging
from tests.support.wait import wait_until


@messaging.answers(queue="questions", timeout=20.0, most=100)
def double(*, number: int, ledger: str = "", gate: str = "") -> int:
    if ledger:
        with Path(ledger).open("a") as file:
            file.write(f"{number} {time.time()}\n")
    if gate:
        wait_until(Path(gate).exists, seconds=30)
    return 2 * number


@messaging.answers(queue="questions", timeout=20.0)
def picture(*, size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


@messaging.answers(queue="questions", timeout=20.0)
def refuse(*, how: str) -> str:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "permanent":
        raise messaging.Permanent("There is no such picture.")
    raise ZeroDivisionError("a secret")
