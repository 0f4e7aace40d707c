"""A supervisor with small programs, run as a process of its own so that tests may kill it.

`python -m tests.integration.devstack.toys FOLDER MARK`
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.console import Console
from devstack.ground import only_one
from devstack.processes import Program
from devstack.supervisor import Stopped, Supervisor, Watchdog

# A program with a child of its own, as a pool of workers has. It notes each stop.
SHELL = """
trap 'echo "$NAME" >> stops; exit' TERM INT
[ -e "never-$NAME" ] && exit 7
[ -e "mute-$NAME" ] && exec sleep 1000
sleep 1000 & echo ready > "$NAME.ready"
wait
"""


@dataclass(kw_only=True, eq=False)
class Toy(Program):
    """A shell that says ready and waits, with a child."""

    folder: Path
    mark: str

    def prepare(self) -> None:
        self._ready.unlink(missing_ok=True)

    def command(self) -> list[str | Path]:
        return ["sh", "-c", f'cd "$FOLDER"\n{SHELL}']

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "FOLDER": str(self.folder), "NAME": self.name, "MARK": self.mark}

    def is_ready(self) -> bool:
        return self._ready.exists()

    @property
    def _ready(self) -> Path:
        return self.folder / f"{self.name}.ready"


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes alive that were started with this mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == mark and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def toys(folder: Path, mark: str, names: Iterable[str]) -> list[Program]:
    return [Toy(name=n, log=folder / f"{n}.log", folder=folder, mark=mark) for n in names]


def main(folder: Path, mark: str) -> None:
    # Whoever runs the tests may have said `nohup`, which all their processes inherit.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with only_one(folder / "lock") as lock:
        supervisor = Supervisor(Console(), Watchdog(lock=lock, files=[folder / "beside"]))
        supervisor.listen()
        (folder / "beside").touch()

        def changes() -> set[str]:
            told = folder / "changed"
            if not told.exists():
                return set()
            told.unlink()
            return {str(folder / "views.py")}

        try:
            supervisor.start(toys(folder, mark, ["server"]), seconds=60)
            supervisor.start(toys(folder, mark, ["web", "worker"]), seconds=60, reload=True)
            supervisor.console.say("all ready")
            supervisor.run(changes=changes, gone=lambda: False)
        except Stopped:
            pass
        finally:
            supervisor.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
