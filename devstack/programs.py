"""The site's own processes: one class each, the same for `make up` and for the tests."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from devstack.problems import WrongSetting
from devstack.processes import Program


@dataclass(kw_only=True, eq=False)
class SiteProgram(Program):
    """A Python process that runs the site's code with the given variables."""

    variables: Mapping[str, str]

    def environment(self) -> Mapping[str, str]:
        """Return the variables it was given; nothing else reaches it."""
        return {**self.variables, "PYTHONUNBUFFERED": "1"}


@dataclass(kw_only=True, eq=False)
class Web(SiteProgram):
    """Granian with one entry point, on one port: WSGI for the pages, ASGI for the live channel."""

    target: str
    port: int
    options: tuple[str, ...] = ()

    def command(self) -> list[str | Path]:
        """Return the command line of the web server."""
        return [
            sys.executable, "-m", "granian", self.target, "--host", "127.0.0.1",
            "--port", str(self.port), "--no-ws", *self.options,
        ]  # fmt: skip

    def is_ready(self) -> bool:
        """Tell whether the application itself answers, not only the socket."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status < HTTPStatus.INTERNAL_SERVER_ERROR
        return False


@dataclass(kw_only=True, eq=False)
class Worker(SiteProgram):
    """A Celery worker for some queues."""

    grace: float = 30.0
    queues: str
    pool: str
    concurrency: int
    options: tuple[str, ...] = ()

    @cached_property
    def node(self) -> str:
        """Its name among the workers: two clones on one broker must not share one."""
        return f"{self.name}-{secrets.token_hex(3)}@%h"

    @property
    def _ready(self) -> Path:
        return self.log.with_name(f"{self.log.stem}.ready")

    def prepare(self) -> None:
        """Forget that an earlier run was ready."""
        self._ready.unlink(missing_ok=True)

    def command(self) -> list[str | Path]:
        """Return the command line of the worker."""
        return [
            sys.executable, "-m", "celery", "--app", "devstack.worker", "worker",
            "--queues", self.queues, "--pool", self.pool, "--concurrency", str(self.concurrency),
            "--hostname", self.node, "--without-gossip", "--without-mingle", *self.options,
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """Return its variables, and the file in which it says that it takes work."""
        return {**super().environment(), "READY_FILE": str(self._ready)}

    def is_ready(self) -> bool:
        """Tell whether it takes work."""
        return self._ready.exists()


@dataclass(kw_only=True, eq=False)
class Beat(SiteProgram):
    """The clock that starts what is due."""

    name: str = "beat"
    schedule: Path

    def command(self) -> list[str | Path]:
        """Return the command line of the clock."""
        return [
            sys.executable, "-m", "celery", "--app", "project", "beat",
            "--schedule", self.schedule, "--pidfile", "",
        ]  # fmt: skip


@dataclass(kw_only=True, eq=False)
class Prepare(SiteProgram):
    """Brings the database, the demo and the cache up to date, and ends."""

    name: str = "prepare"

    def command(self) -> list[str | Path]:
        """Return the command line of devstack/prepare.py."""
        return [sys.executable, "-m", "devstack.prepare", self.demo, self._refusal]

    @property
    def demo(self) -> Path:
        """The file in which it leaves what create_demo said."""
        return self.log.with_name("demo.json")

    def prepare(self) -> None:
        """Forget what an earlier start was refused for."""
        self._refusal.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Tell whether it ended well. Raises WrongSetting if the settings let nothing start."""
        if self.process is None or self.process.poll() is None:
            return False
        if self._refusal.is_file():
            raise WrongSetting(self._refusal.read_text().strip())
        return self.process.poll() == 0

    @property
    def _refusal(self) -> Path:
        return self.demo.with_name("refusal")
