"""End what is left when the supervisor itself is killed: `python watchdog.py [FILE…]`.

Told on standard input which programs run, one line each: "+ID SIGNAL" and "-ID". When the input
ends, which it does however the supervisor dies, it sends each program its signal, gives them a few
seconds, ends what is left of their groups and deletes the files. It holds the lock of the clone
meanwhile, so that the next start waits for it. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PATIENCE = 8.0


def main(lines: Iterable[str], files: Iterable[str]) -> None:
    """Follow the list until it ends, then see that nothing on it runs."""
    for ours in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ours, signal.SIG_IGN)
    running = _follow(lines)
    for pid, number in running.items():
        with contextlib.suppress(OSError):
            os.kill(pid, number)
    deadline = time.monotonic() + PATIENCE
    while any(map(_is_alive, running)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in running:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    if running:
        for file in files:
            Path(file).unlink(missing_ok=True)


def _follow(lines: Iterable[str]) -> dict[int, int]:
    running: dict[int, int] = {}
    for line in lines:
        pid, _, number = line[1:].strip().partition(" ")
        if line.startswith("+"):
            running[int(pid)] = int(number)
        else:
            running.pop(int(pid), None)
    return running


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(sys.stdin, sys.argv[1:])
