"""Time limits, kept by the process itself. What kills it is tested with a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest
from billiard.exceptions import SoftTimeLimitExceeded

from apps.messaging.timelimit import limited
from tests.support.wait import wait_until


def test_what_takes_too_long_is_interrupted():
    with pytest.raises(SoftTimeLimitExceeded), limited(0.05):
        wait_until(lambda: False, seconds=20)


def test_what_is_quick_is_left_alone_and_so_is_what_comes_after():
    before = signal.getsignal(signal.SIGALRM)

    with limited(60):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


@pytest.mark.parametrize("seconds", [None, 0])
def test_without_a_limit_nothing_is_set(seconds):
    with limited(seconds):
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_in_a_thread_nothing_is_set_as_none_can_be_interrupted():
    seen = []

    def work():
        with limited(0.01):
            seen.append(signal.getitimer(signal.ITIMER_REAL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [(0, 0)]


def test_a_loop_in_c_that_hears_no_signal_is_ended_with_its_process():
    code = """
import apps.messaging.timelimit as timelimit
timelimit.HARD_LIMIT_AFTER = 0.2
timelimit._is_expendable = lambda: True
with timelimit.limited(0.1):
    sum(range(10**13))  # hears no signal for hours
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
