"""Time limits, kept by the process that does the job.

Celery's own travel on the message and are kept by the parent of the pool. Ours is a bell: it does
not know which job it wakes.
"""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from billiard import current_process
from billiard.exceptions import SoftTimeLimitExceeded

# The hard limit ends the process, so the soft one, an exception in the task, goes first.
HARD_LIMIT_AFTER = 10


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise SoftTimeLimitExceeded inside after `seconds`; ten later end the process of a pool.

    Only the main thread can be interrupted, which is the one that works in a process of a pool.
    In any other thread nothing happens: there the lease runs out.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if _is_expendable():
        # A thread in C, which needs no lock of the interpreter: it ends what loops inside a
        # library, too, and says where that was.
        faulthandler.dump_traceback_later(seconds + HARD_LIMIT_AFTER, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if _is_expendable():
            faulthandler.cancel_dump_traceback_later()


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SoftTimeLimitExceeded


def _is_expendable() -> bool:
    """Whether this is the child of a pool, that another replaces."""
    return bool(current_process().name != "MainProcess")
