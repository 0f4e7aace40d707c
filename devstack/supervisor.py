"""Start programs tier by tier, keep them running, restart them when code changes, stop them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from devstack import watchdog
from devstack.console import Console, LogTail
from devstack.problems import StartFailed
from devstack.processes import Program

TICK = 0.1
# A program that lived this long had started well: its next death is a new story.
SETTLED = 30.0
LONGEST_WAIT = 30.0
RELOAD_GRACE = 5.0
HEAD_START = 5.0


class Stopped(Exception):
    """Somebody asked to stop while the programs were starting."""


class Watchdog:
    """Our end of devstack/watchdog.py, which ends the programs if we are killed."""

    def __init__(self, *, lock: IO[str] | None = None, files: Sequence[Path] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", watchdog.__file__, *files],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[] if lock is None else [lock.fileno()],
        )

    def watch(self, program: Program) -> None:
        """Remember a program that was started."""
        self._tell(f"+{program.pid} {int(program.stop_signal)}")

    def forget(self, program: Program) -> None:
        """Forget a program that ended."""
        self._tell(f"-{program.pid}")

    def close(self) -> None:
        """Let it go; what it still remembers it ends."""
        with self._process:
            pass

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None and self._process.poll() is None:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


@dataclass
class _Kept:
    program: Program
    once: bool
    reload: bool
    started: float = 0.0
    failures: int = 0
    again_at: float | None = None


class Supervisor:
    """Owns the programs of one site. Use it from the main thread only."""

    def __init__(self, console: Console, dog: Watchdog) -> None:
        self.console = console
        self.dog = dog
        self.tail = LogTail(console)
        self.requests = 0
        self._tiers: list[list[_Kept]] = []

    # --- Signals ---------------------------------------------------------------------------------
    def listen(self) -> None:
        """Take over the signals that ask to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup make up` means that the end of the terminal is none of ours.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        """Stop soon; when asked again, at once and without grace."""
        self.requests += 1
        if self.requests > 1:
            for kept in self._all():
                kept.program.signal_group(signal.SIGKILL)

    # --- Starting --------------------------------------------------------------------------------
    def start(
        self,
        programs: Sequence[Program],
        *,
        seconds: float,
        once: bool = False,
        reload: bool = False,
    ) -> None:
        """Start a tier, and return when all of it is ready.

        `once` programs are ready when they have ended well. `reload` ones restart when code
        changes. Raises StartFailed, or Stopped.
        """
        tier = [_Kept(program, once, reload) for program in programs]
        self._tiers.append(tier)
        if once:
            # What is done once may take long the first time: show that it moves.
            self._follow(tier)
        for kept in tier:
            self._refuse_if_stopping()
            self._spawn(kept)
        waiting = list(tier)
        while waiting:
            self._refuse_if_stopping()
            waiting = [kept for kept in waiting if not self._is_ready(kept, seconds)]
            self.tail.show_new()
            time.sleep(0.02)

    def _is_ready(self, kept: _Kept, seconds: float) -> bool:
        program, took = kept.program, time.monotonic() - kept.started
        if program.is_ready():
            self.console.ready(program.name, took)
            if kept.once:
                self.dog.forget(program)
            return True
        if not program.is_running():
            raise StartFailed(f"{program.name} ended while it started. {program.last_words()}")
        if took > seconds:
            raise StartFailed(f"{program.name} took over {seconds:.0f} s. {program.last_words()}")
        return False

    def _refuse_if_stopping(self) -> None:
        if self.requests:
            raise Stopped

    def _spawn(self, kept: _Kept) -> None:
        kept.again_at = None
        kept.started = time.monotonic()
        kept.program.spawn()
        self.dog.watch(kept.program)

    # --- Running ---------------------------------------------------------------------------------
    def run(self, *, changes: Callable[[], Collection[str]], gone: Callable[[], bool]) -> None:
        """Keep everything running until somebody asks to stop, or `gone()` says that they left."""
        self._follow([kept for kept in self._all() if kept.reload])
        while not self.requests:
            if gone():
                self.ask_to_stop()
            if changed := changes():
                self._reload(changed)
            for kept in self._all():
                self._keep(kept)
            self.tail.show_new()
            time.sleep(TICK)

    def _follow(self, tier: list[_Kept]) -> None:
        for kept in tier:
            self.tail.follow(kept.program.name, kept.program.log)

    def _keep(self, kept: _Kept) -> None:
        """Start a program again when it died, later each time."""
        now, program = time.monotonic(), kept.program
        if kept.once or program.is_running():
            return
        if kept.again_at is None:
            kept.failures = 0 if now - kept.started > SETTLED else kept.failures + 1
            wait = min(2.0 ** max(kept.failures - 1, 0), LONGEST_WAIT)
            kept.again_at = now + wait
            self._bury(program)
            self.tail.show_new()
            self.console.say(f"{program.name} ended; it starts again in {wait:.0f} s.")
        elif now >= kept.again_at:
            self._spawn(kept)

    def _reload(self, changed: Collection[str]) -> None:
        """Restart what runs the site's code."""
        first = os.path.relpath(min(changed))
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        self.console.say(f"{first}{more} changed: restarting.")
        running = [kept for kept in self._all() if kept.reload]
        for kept in running:
            kept.program.ask_to_stop()
        asked = time.monotonic()
        for kept in running:
            kept.program.wait_dead(asked + RELOAD_GRACE - time.monotonic())
            self._bury(kept.program)
            kept.failures = 0
            self._spawn(kept)
            if kept is running[0]:
                # The pages come first: somebody who changed one looks at it now.
                self._head_start(kept.program)

    def _head_start(self, program: Program) -> None:
        deadline = time.monotonic() + HEAD_START
        while program.is_running() and not program.is_ready() and time.monotonic() < deadline:
            self.tail.show_new()
            time.sleep(0.05)

    # --- Stopping --------------------------------------------------------------------------------
    def stop(self) -> None:
        """Stop the tiers in reverse order; afterwards none of their processes is left."""
        for tier in reversed(self._tiers):
            programs = [kept.program for kept in tier if kept.program.process is not None]
            self._end(programs)
        self.tail.show_new()
        self.dog.close()

    def _end(self, programs: Sequence[Program]) -> None:
        asked = time.monotonic()
        for program in programs:
            program.ask_to_stop()
        for program in programs:
            program.wait_dead(asked + program.grace - time.monotonic())
            self._bury(program)

    def _bury(self, program: Program) -> None:
        program.kill()
        self.dog.forget(program)

    def _all(self) -> list[_Kept]:
        return [kept for tier in self._tiers for kept in tier]
