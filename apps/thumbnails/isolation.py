"""One process for one picture: started, listened to, and never left behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from apps.thumbnails.refusals import EngineFailed

_PROGRAM = Path(__file__).parent / "darkroom" / "__main__.py"
_LONGEST_LINE = 256 * 1024
# How long a process may take to end after its last word.
_GRACE = 2.0


class Ended(NamedTuple):
    """How a process ended: its exit code (minus the signal's number), its time, its last words."""

    code: int
    cpu: float
    stderr: str


class OutOfTime(Exception):
    """The process was still at work when its time was over; it has been killed."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended = ended


class Isolated:
    """A running process of one picture.

    It has a session of its own, an almost empty environment and no open file of ours. The limits
    on its memory and time it sets itself, before it reads a byte of the picture.
    """

    def __init__(self, process: subprocess.Popen[bytes], stderr: IO[bytes], seconds: float) -> None:
        self._process = process
        self._stderr = stderr
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._ended: Ended | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield its answers until it closes its output; raise OutOfTime when its time is over."""
        output = cast("IO[bytes]", self._process.stdout).fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN | select.POLLHUP)
        rest = b""
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise OutOfTime(self.kill())
            data = os.read(output, 65536)
            if not data:
                return
            if len(rest) > _LONGEST_LINE:
                raise EngineFailed("the darkroom talks without end")
            *lines, rest = (rest + data).split(b"\n")
            yield from lines

    def wait(self) -> Ended:
        """Return how it ended, allowing it a moment to do so by itself."""
        deadline = time.monotonic() + _GRACE
        while self._ended is None and time.monotonic() < deadline:
            self._reap(os.WNOHANG)
            time.sleep(0.002)
        return self.kill()

    def kill(self) -> Ended:
        """End it and all it may have started, if it has not ended, and return how it ended."""
        while self._ended is None:
            # Its session bears its number, and it is not reaped yet: nobody else can have it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._reap(0)
        return self._ended

    def _reap(self, options: int) -> None:
        pid, status, usage = os.wait4(self._process.pid, options)
        if pid == 0:
            return
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - 4096))
        words = self._stderr.read().decode("utf-8", "replace").strip()
        self._ended = Ended(code, usage.ru_utime + usage.ru_stime, words)


@contextlib.contextmanager
def isolated(request: bytes, *, folder: Path, seconds: float) -> Iterator[Isolated]:
    """Start the darkroom on `request`; whatever happens inside the block, it has ended after it."""
    with (
        tempfile.TemporaryFile(dir=folder) as stderr,
        subprocess.Popen(  # noqa: S603 - our own program; nothing in it comes from outside
            [sys.executable, "-I", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
            bufsize=0,
        ) as process,
    ):
        darkroom = Isolated(process, stderr, seconds)
        try:
            # stdin stays open: where the kernel cannot tie the process to us, its end is the sign.
            with contextlib.suppress(BrokenPipeError):
                os.write(cast("IO[bytes]", process.stdin).fileno(), request + b"\n")
            yield darkroom
        finally:
            darkroom.kill()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder),
        # One process per processor scales better than threads in one, and takes less memory.
        "VIPS_CONCURRENCY": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
        # glibc reserves 64 MB of the address space, which is limited, for each further arena.
        "MALLOC_ARENA_MAX": "2",
    }
