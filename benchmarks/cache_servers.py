"""The servers of the cache benchmarks, and a wire to one of them that can be cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from pymemcache.client.base import Client

from devstack.processes import ROOT
from devstack.servers import Memcached, Postgres, Valkey

MIGRATE = "import django; django.setup(); from django.core.management import call_command as call;"
MIGRATE += "call('migrate', run_syncdb=True, verbosity=0)"


@dataclass
class CacheServers:
    """A Valkey, a Memcached where the machine has it, and a database with the tables of `peers`."""

    valkey: Valkey
    memcached: Memcached | None
    postgres: Postgres

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of cache there are."""
        return ["valkey", "memcached"] if self.memcached else ["valkey"]

    @property
    def urls(self) -> dict[str, str]:
        """Return the address of each kind; a database of a Valkey is still to be said."""
        urls = {"valkey": self.valkey.url().rpartition("/")[0]}
        return urls | ({"memcached": self.memcached.url} if self.memcached else {})

    def empty(self) -> None:
        """Forget what was kept, in all of them."""
        with redis.Redis.from_url(self.valkey.url()) as client:
            client.flushall()
        if self.memcached:
            with contextlib.closing(Client(("127.0.0.1", self.memcached.port))) as client:
                client.flush_all(noreply=False)

    def of(self, kind: str) -> Valkey | Memcached:
        """Return the server of this kind."""
        return self.valkey if kind == "valkey" or self.memcached is None else self.memcached


@contextmanager
def cache_servers() -> Iterator[CacheServers]:
    """Start them all, tell this process and its children where the database is; end them."""
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        folder = Path(name)
        servers = CacheServers(
            valkey=Valkey(folder=folder / "valkey", log=folder / "valkey.log"),
            memcached=Memcached(log=folder / "memcached.log")
            if shutil.which("memcached")
            else None,
            postgres=Postgres(
                folder=folder / "postgres", log=folder / "postgres.log", durable=False
            ),
        )
        started = [servers.valkey, servers.postgres, *filter(None, [servers.memcached])]
        try:
            for server in started:
                server.start(seconds=60)
            os.environ["DATABASE_URL"] = servers.postgres.url
            _make_tables()
            yield servers
        finally:
            for server in started:
                server.kill()


def _make_tables() -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}
    command = [sys.executable, "-c", MIGRATE]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=True)


@dataclass
class CutWire:
    """A way to a server on this machine that can be cut: who calls then is refused."""

    server: int
    port: int = 0
    _listener: socket.socket | None = None
    _lines: set[socket.socket] = field(default_factory=set)

    def mend(self) -> None:
        """Let calls through, on the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def cut(self) -> None:
        """Refuse calls and end those that go on."""
        assert self._listener is not None
        # Not close() alone: a thread that waits in accept() would not notice.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                for source, target in ((client, server), (server, client)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._lines.add(source)
                    threading.Thread(target=_carry, args=[source, target], daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
