"""What the person at the terminal sees: progress, the logs of the site with a name in front."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

COLOURS = (36, 35, 33, 32, 34, 31)
LARGEST_LOG = 5 * 1024 * 1024


class Console:
    """Prints lines; goes quiet for good when nobody can read them any more."""

    def __init__(self, output: TextIO | None = None) -> None:
        self.output = output or sys.stdout
        self.colours = self.output.isatty()

    def say(self, text: str = "") -> None:
        """Print a line."""
        try:
            print(text, file=self.output, flush=True)
        except (OSError, ValueError):
            # The terminal or the pipe is gone: the site need not be.
            self.output = Path("/dev/null").open("w")  # noqa: SIM115

    def ready(self, name: str, seconds: float) -> None:
        """Say that a program is ready."""
        self.say(f"  {name:<10} ready in {seconds:4.1f} s")

    def box(self, lines: list[str]) -> None:
        """Print lines in a frame."""
        width = max(map(len, lines)) + 2
        rule = f"  +{'-' * (width + 2)}+"
        self.say()
        self.say(rule)
        for line in lines:
            self.say(f"  | {line:<{width}} |")
        self.say(rule)
        self.say()


class LogTail:
    """Follows the log files of some programs and prints what is new, each line with its name."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._files: dict[Path, tuple[str, int]] = {}

    def follow(self, name: str, log: Path) -> None:
        """Print what is written to `log` from now on."""
        colour = COLOURS[len(self._files) % len(COLOURS)]
        label = f"{name:<8}|"
        if self.console.colours:
            label = f"\033[{colour}m{label}\033[0m"
        self._files[log] = (label, log.stat().st_size if log.exists() else 0)

    def show_new(self) -> None:
        """Print the complete lines written since the last call."""
        for log, (label, position) in self._files.items():
            if not log.exists() or log.stat().st_size <= position:
                continue
            with log.open("rb") as file:
                file.seek(position)
                complete = file.read(1024 * 1024).rpartition(b"\n")[0]
            for line in complete.decode(errors="replace").splitlines():
                if line.strip():
                    self.console.say(f"{label} {line}")
            if complete:
                self._files[log] = (label, position + len(complete) + 1)


def rotate(log: Path) -> None:
    """Put a log that has grown large aside; called before its program starts."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".old.log"))
