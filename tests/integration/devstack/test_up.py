"""`make up` as a person types it: the whole site, in a folder with a space, and nothing left."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import stat
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from devstack.postgres import NAMESPACE, root_by
from devstack.processes import ROOT, free_port
from tests.integration.devstack.toys import marked
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

# What tests/support/plugin.py decided for the tests, and a person has not.
OURS = {"DATABASE_URL", "CACHE_URL", "BROKER_URL", "EMAIL_URL", "SITE_URL", "INBOX_DIR"}
OURS |= {"MEDIA_ROOT", "STATIC_ROOT"}
COPIED = ("apps", "devstack", "locale", "manage.py", "project", "static", "templates", "Makefile")
SECONDS = 240
# In a namespace of its own a process of root is an ordinary user, to itself.
AS_USER = NAMESPACE if os.geteuid() == 0 and root_by() == "namespace" else ()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of this project in a folder with a space, with our virtual environment."""
    root = tmp_path / "a clone"
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, root / name, ignore=ignore)
        elif source.exists():
            shutil.copy(source, root / name)
    (root / ".venv").symlink_to(ROOT / ".venv")
    return root


@dataclass
class Up:
    """One run of `make up`."""

    process: subprocess.Popen[bytes]
    clone: Path
    port: int
    mark: str

    def said(self) -> str:
        return (self.clone / "said").read_text(errors="replace")

    def wait_up(self) -> None:
        wait_until(
            lambda: "Safelight runs" in self.said() or self.process.poll() is not None,
            seconds=SECONDS,
            what="the site",
        )
        assert self.process.poll() is None, self.said()

    def wait_gone(self) -> None:
        wait_until(lambda: not marked(self.mark), seconds=90, what="its processes to end")

    def beside(self) -> dict[str, str]:
        """Return what var/stack.env says."""
        lines = (self.clone / "var" / "stack.env").read_text().splitlines()[1:]
        pairs = [line.partition("=") for line in lines]
        return {name: value.strip("'") for name, _, value in pairs}

    def status(self, path: str = "/healthz") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status


def environment(mark: str, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, "MARK": mark, "PORT": str(port), "PYTHON": "python3", **more}


class Start:
    """Runs `make up`, and ends what a test leaves."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.runs: list[Up] = []

    def __call__(self, *before: str, port: int = 0, more: Mapping[str, str] | None = None) -> Up:
        mark, port = uuid.uuid4().hex, port or free_port()
        with (self.clone / "said").open("wb") as output:
            process = subprocess.Popen(
                [*before, "make", "up"],
                cwd=self.clone,
                env=environment(mark, port, **(more or {})),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.runs.append(Up(process, self.clone, port, mark))
        return self.runs[-1]


@pytest.fixture
def start(clone: Path) -> Iterator[Start]:
    starter = Start(clone)
    yield starter
    for run in starter.runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(60)
        for left in marked(run.mark):
            left.kill()


def test_the_whole_site_starts_mends_itself_and_is_there_again(start: Start) -> None:
    site = start()
    site.wait_up()

    # It answers, and says where.
    assert site.status() == 200
    assert f"Site     http://localhost:{site.port}/" in site.said()
    beside = site.clone / "var" / "stack.env"
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    with psycopg.connect(site.beside()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    with redis.Redis.from_url(site.beside()["BROKER_URL"]) as broker:
        broker.set("kept", "yes")

    # A second start from the same folder is told of the first.
    second = subprocess.run(
        ["make", "up"], cwd=site.clone, env=environment("", free_port()),
        capture_output=True, text=True,
    )  # fmt: skip
    assert "Safelight did not start: It runs already from this folder" in second.stderr
    assert "Traceback" not in second.stderr

    # A worker that dies comes back.
    (worker, *_) = [
        process
        for process in marked(site.mark)
        if "mail" in process.cmdline() and "--queues" in process.cmdline()
    ]
    worker.kill()
    wait_until(lambda: "mail ended; it starts again" in site.said())

    # Ctrl-C in a terminal reaches the whole group.
    os.killpg(site.process.pid, signal.SIGINT)
    site.process.wait(60)
    site.wait_gone()
    assert not beside.exists()

    # The data is there again; an ordinary user needs no namespace for the database.
    again = start(*AS_USER)
    again.wait_up()
    assert again.status() == 200
    commands = [" ".join(process.cmdline()) for process in marked(again.mark)]
    assert any("bin/postgres -D" in command for command in commands)
    assert not any("unshare" in command for command in commands)
    with psycopg.connect(again.beside()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    with redis.Redis.from_url(again.beside()["BROKER_URL"]) as broker:
        assert broker.get("kept") == b"yes"

    # Where make itself is killed nothing is left either.
    again.process.kill()
    again.wait_gone()


@pytest.mark.parametrize(
    ("more", "sentence", "code"),
    [
        ({"PORT": "high"}, "PORT takes a number from 1 to 65534, not high.", 1),
        (
            {"DATABASE_URL": "postgres://app:hush@127.0.0.1:1/app"},
            "DATABASE_URL names 127.0.0.1:1, which does not answer: Connection refused.",
            8,
        ),
        ({"SAFELIGHT_VAR": "/proc/var"}, "/proc/var cannot be written", 6),
    ],
)
def test_what_stands_in_the_way_is_one_sentence(
    clone: Path, more: dict[str, str], sentence: str, code: int
) -> None:
    done = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-m", "devstack.up"],
        cwd=clone, env=environment("", free_port()) | more, capture_output=True, text=True,
    )  # fmt: skip

    assert sentence in done.stderr
    assert done.stderr.startswith("Safelight did not start: ")
    assert done.stderr.count("\n") == 1
    assert done.returncode == code
    assert not (clone / "var" / "postgres").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"CACHE_URL": "nonsense"}, "CACHE_URL names a kind of server that the cache does not"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL takes postgres://user:password@host:5432/nam"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL takes DEBUG or INFO or WARNING or ERROR."),
        ({"UNCONFIRMED_DAYS": "-1"}, "UNCONFIRMED_DAYS forgets people before their letter can"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_not_a_traceback(
    clone: Path, more: dict[str, str], sentence: str
) -> None:
    done = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-m", "devstack.up"],
        cwd=clone, env=environment("", free_port()) | more, capture_output=True, text=True,
    )  # fmt: skip

    assert done.stderr.startswith(f"Safelight did not start: {sentence}")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 10


def test_a_taken_port_is_one_sentence(clone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["make", "up", f"PORT={port}"],
            cwd=clone, env=environment("", 8000), capture_output=True, text=True,
        )  # fmt: skip

    first = done.stderr.splitlines()[0]
    assert first.startswith(f"Safelight did not start: Port {port} is taken by another program")
    assert "Error 3" in done.stderr
