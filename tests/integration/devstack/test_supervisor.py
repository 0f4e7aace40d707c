"""Programs start in tiers, come back when they die, and never outlive their supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.console import Console
from devstack.problems import StartFailed
from devstack.processes import ROOT
from devstack.supervisor import Supervisor, Watchdog
from tests.integration.devstack.toys import marked, toys
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration
# Seconds for something that takes none. Only a test that fails waits for them.
PATIENCE = 60


@dataclass
class Running:
    """A supervisor with its three programs."""

    process: subprocess.Popen[bytes]
    folder: Path
    mark: str

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def wait_ready(self) -> None:
        wait_until(lambda: "all ready" in self.said(), what="the programs to start")

    def pid(self, name: str) -> int:
        (found,) = [process for process in self.shells() if process.environ()["NAME"] == name]
        return int(found.pid)

    def shells(self) -> list[psutil.Process]:
        return [process for process in marked(self.mark) if process.name() == "sh"]

    def stops(self) -> list[str]:
        path = self.folder / "stops"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Running]:
    """Start the supervisor of toys.py in a folder with a space."""
    folder, mark = tmp_path / "a folder", uuid.uuid4().hex
    folder.mkdir()
    with (folder / "said").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.devstack.toys", folder, mark],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield Running(process, folder, mark)
    process.kill()
    process.wait()
    for left in marked(mark):
        left.kill()


@pytest.fixture
def running(start: Running) -> Running:
    start.wait_ready()
    return start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_whatever_ends_the_supervisor(
    running: Running, number: signal.Signals
) -> None:
    assert len(marked(running.mark)) == 6

    running.process.send_signal(number)

    assert running.process.wait(PATIENCE) == (-9 if number == signal.SIGKILL else 0)
    wait_until(lambda: not marked(running.mark), seconds=12, what="the programs to end")


def test_a_killed_supervisor_leaves_no_file_and_no_lock(running: Running) -> None:
    beside = running.folder / "beside"
    assert beside.exists()

    running.process.kill()

    wait_until(lambda: not beside.exists(), seconds=12)
    wait_until(
        lambda: subprocess.run(["flock", "-n", running.folder / "lock", "true"]).returncode == 0
    )


def test_what_was_started_last_is_stopped_first(running: Running) -> None:
    running.process.terminate()
    running.process.wait(PATIENCE)

    assert running.stops()[-1] == "server"
    assert sorted(running.stops()) == ["server", "web", "worker"]


def test_a_signal_while_it_starts_ends_it_cleanly(start: Running) -> None:
    wait_until((start.folder / "server.ready").exists)

    start.process.terminate()

    assert start.process.wait(PATIENCE) == 0
    wait_until(lambda: not marked(start.mark))


def test_a_program_that_dies_starts_again(running: Running) -> None:
    before = running.pid("web")

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: before not in [shell.pid for shell in running.shells()])
    wait_until(lambda: len(running.shells()) == 3, what="the program to come back")
    assert "web ended; it starts again in 1 s." in running.said()


def test_the_children_of_a_dead_program_do_not_stay(running: Running) -> None:
    web = running.pid("web")
    children = [p.pid for p in marked(running.mark) if p.ppid() == web]
    assert children

    os.kill(web, signal.SIGKILL)

    wait_until(lambda: not {p.pid for p in marked(running.mark)} & set(children))


def test_a_program_that_keeps_dying_is_started_less_and_less(running: Running) -> None:
    (running.folder / "never-web").touch()

    os.kill(running.pid("web"), signal.SIGKILL)

    wait_until(lambda: "web ended; it starts again in 1 s." in running.said())
    wait_until(lambda: "web ended; it starts again in 2 s." in running.said())
    assert running.process.poll() is None


def test_changed_code_restarts_what_runs_it_and_nothing_else(running: Running) -> None:
    server, web = running.pid("server"), running.pid("web")

    (running.folder / "changed").touch()

    wait_until(lambda: "views.py changed: restarting." in running.said())
    wait_until(lambda: len(marked(running.mark)) == 6 and running.pid("web") != web)
    assert running.pid("server") == server
    assert sorted(running.stops()) == ["web", "worker"]


def test_asked_twice_it_ends_at_once(running: Running) -> None:
    os.kill(running.pid("web"), signal.SIGSTOP)

    running.process.send_signal(signal.SIGINT)
    wait_until(lambda: "worker" in running.stops())
    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(PATIENCE) == 0
    wait_until(lambda: not marked(running.mark))


def test_a_second_start_is_told_of_the_first(running: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.devstack.toys", running.folder, "second"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert f"as process {running.process.pid}." in done.stderr


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor in this process."""
    here = Supervisor(Console(), Watchdog())
    yield here
    here.stop()


def test_a_program_that_ends_while_it_starts_is_told_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    mark = uuid.uuid4().hex
    (tmp_path / "never-web").touch()
    programs = toys(tmp_path, mark, ["web"])
    programs[0].log.write_text("ImportError: no such module\n")

    with pytest.raises(StartFailed, match=r"web ended while it started\. .*ImportError"):
        supervisor.start(programs, seconds=PATIENCE)

    assert marked(mark) == []


def test_a_program_that_never_gets_ready_is_given_up(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    mark = uuid.uuid4().hex
    (tmp_path / "mute-web").touch()

    with pytest.raises(StartFailed, match=r"web took over 0 s\."):
        supervisor.start(toys(tmp_path, mark, ["web"]), seconds=0.2)

    supervisor.stop()
    assert marked(mark) == []
