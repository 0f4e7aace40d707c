"""Programs that lead a process group of their own and never outlive the one that started them."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from devstack.problems import StartFailed

ROOT = Path(__file__).resolve().parent.parent
# Below the range from which Linux takes the ports of outgoing connections: what is free when
# asked is then still free when the server binds it.
PORTS = range(20_000, 32_000)
# What this process was given already: its server may not have bound it yet.
_given: set[int] = set()


def free_port() -> int:
    """Return a loopback port that nobody listens on, and never the same one twice."""
    for _ in range(100):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise StartFailed("No free port between 20000 and 32000.")


def port_is_free(port: int) -> bool:
    """Tell whether a server could bind this port now."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, *, question: bytes = b"", answer: bytes = b"") -> bool:
    """Tell whether a server on this loopback port accepts, and says `answer` to `question`."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
        sock.settimeout(1)
        if question:
            sock.sendall(question)
        return not answer or sock.recv(256).startswith(answer)
    return False


def _tie(stop_signal: signal.Signals) -> list[str]:
    """Return what to put before a command so that Linux stops it when its parent is gone.

    A program and not a `preexec_fn`, which may lock up in a process with threads. Where there is
    none the watchdog alone does the work.
    """
    name = stop_signal.name.removeprefix("SIG")
    return ["setpriv", "--pdeathsig", name, "--"] if _can_tie() else []


@cache
def _can_tie() -> bool:
    try:
        tried = subprocess.run(
            ["setpriv", "--pdeathsig", "TERM", "--", "true"], capture_output=True, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


@dataclass(kw_only=True, eq=False)
class Program:
    """One program: how it is started, when it is ready, how it stops.

    Subclasses say `command`; the rest has defaults. Everything it prints goes to `log`.
    """

    log: Path
    name: str = "program"
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    # The group was ended: its number may be somebody else's by now.
    _buried: bool = field(default=False, init=False)

    def prepare(self) -> None:
        """Make what the program needs; called before each start."""

    def command(self) -> Sequence[str | Path]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return all variables the program sees."""
        return os.environ

    def account(self) -> int | None:
        """Return the user id to become, or None to stay who we are."""
        return None

    def is_ready(self) -> bool:
        """Tell whether the program does its work now; asked every few milliseconds."""
        return True

    def spawn(self) -> None:
        """Start without waiting. Call it from the main thread: Linux ties a child to a thread."""
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._buried = False
        account = self.account()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*_tie(self.stop_signal), *self.command()],
                cwd=ROOT,
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account,
                group=account,
                extra_groups=None if account is None else [],
            )

    def start(self, *, seconds: float = 30) -> Self:
        """Start and return when ready. Raises StartFailed with the end of the log."""
        self.spawn()
        self.wait_until_ready(seconds=seconds)
        return self

    def wait_until_ready(self, *, seconds: float) -> None:
        """Return when ready. Raises StartFailed if the program ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if not self.is_running():
                raise StartFailed(f"{self.name} ended while it started. {self.last_words()}")
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailed(f"{self.name} took over {seconds:.0f} s. {self.last_words()}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process id of the program, which is also the id of its group."""
        if self.process is None:
            raise StartFailed(f"{self.name} was not started.")
        return self.process.pid

    def is_running(self) -> bool:
        """Tell whether the started process lives."""
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the log, for a message to a person."""
        if not self.log.is_file():
            return ""
        text = self.log.read_text(errors="replace").strip().splitlines()[-lines:]
        return f"Its log ends: {' | '.join(text)}" if text else f"Its log is empty: {self.log}"

    def ask_to_stop(self) -> None:
        """Send the stop signal, and return at once."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.stop_signal)

    def wait_dead(self, seconds: float) -> bool:
        """Wait for the process to end; tell whether it did."""
        if self.process is not None:
            try:
                self.process.wait(max(seconds, 0))
            except subprocess.TimeoutExpired:
                return False
        return True

    def stop(self) -> None:
        """Ask it to stop, wait for its grace, then end whatever is left of its group."""
        self.ask_to_stop()
        self.wait_dead(self.grace)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        if self.process is not None and not self._buried:
            self.signal_group(signal.SIGKILL)
            self.process.wait()
            self._buried = True

    def freeze(self) -> None:
        """Stop the clock of the whole group: it keeps its connections and answers nobody.

        Returns when it stands still: until each of its threads has heard of the signal, one of them
        may answer.
        """
        self.signal_group(signal.SIGSTOP)
        if self.is_running():
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let a frozen group go on."""
        self.signal_group(signal.SIGCONT)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the program and all its children."""
        if self.process is not None and not self._buried:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
