"""What this process may use, set before any byte of the picture is read."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1
MEGABYTE = 1024 * 1024


def restrict(*, parent: int, seconds: int, memory: int) -> None:
    """Tie this process to its parent and cap what it may use; `memory` is in bytes."""
    die_with(parent)
    _offer_to_be_killed_first()
    limits = {
        resource.RLIMIT_CORE: (0, 0),
        # At the first the kernel sends SIGXCPU, which tells the parent why; at the second, KILL.
        resource.RLIMIT_CPU: (seconds, seconds + 2),
        resource.RLIMIT_FSIZE: (128 * MEGABYTE, 128 * MEGABYTE),
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_AS: (memory, memory),
    }
    for kind, values in limits.items():
        # macOS knows no limit of the address space and says so with ValueError.
        with contextlib.suppress(*(() if sys.platform == "linux" else (ValueError,))):
            resource.setrlimit(kind, values)


def die_with(parent: int) -> None:
    """End when the process that asked ends, however it ends."""
    if sys.platform == "linux":
        # Sent when the thread that started us ends, which it does after us: it waits.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_end_at_eof, daemon=True).start()
    if os.getppid() != parent:  # it ended before it could be tied
        os._exit(1)


def _offer_to_be_killed_first() -> None:
    """If memory runs out, the kernel is to take this process and not the worker or the database."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _end_at_eof() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
