"""What must hold before anything is started, each said in one sentence when it does not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from devstack.problems import AlreadyRunning, NoRoom, PortTaken, Problem, Unreachable
from devstack.processes import port_is_free

NEEDED = 500 * 1024 * 1024
HIGHEST_PORT = 65_534
# What a port is when the address does not say; a scheme that is not here has no server to reach.
PORTS = {
    "amqp": 5672, "amqps": 5671, "memcached": 11211, "mysql": 3306, "pgsql": 5432, "postgres": 5432,
    "postgresql": 5432, "redis": 6379, "rediss": 6379, "smtp": 25, "smtp+ssl": 465,
    "smtp+tls": 587, "smtps": 587, "submission": 587, "valkey": 6379,
}  # fmt: skip


def writable_folder(folder: Path) -> None:
    """Make the folder. Raises NoRoom if it cannot be written or the disk is nearly full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NoRoom(f"{folder} cannot be written: {error.strerror}.") from error
    free = shutil.disk_usage(folder).free
    if free < NEEDED:
        raise NoRoom(
            f"The disk of {folder} has {free // 2**20} MB left, and {NEEDED // 2**20} are needed."
        )


def wanted_port(environment: Mapping[str, str]) -> int:
    """Return PORT, or 8000. Raises PortTaken if somebody listens there."""
    text = environment.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise Problem(f"PORT takes a number from 1 to {HIGHEST_PORT}, not {text}.")
    port = int(text)
    if not port_is_free(port):
        raise PortTaken(
            f"Port {port} is taken by another program: end it, or say another, for example"
            f" `make up PORT={port + 10 if port < HIGHEST_PORT - 10 else 8000}`."
        )
    return port


def next_free_port(port: int) -> int:
    """Return the first free port from this one up."""
    while not port_is_free(port):
        port += 1
    return port


def only_one(lock: Path, *, seconds: float = 15) -> IO[str]:
    """Take the lock of this clone and return it, open.

    Waits a little when the run that holds it was killed: its watchdog still cleans up. Raises
    AlreadyRunning.
    """
    try:
        handle = lock.open("a+")
    except OSError as error:
        raise NoRoom(f"{lock} cannot be written: {error.strerror}.") from error
    deadline = time.monotonic() + seconds
    while not _lock(handle):
        handle.seek(0)
        pid = handle.read().strip()
        if (pid.isdecimal() and _lives(int(pid))) or time.monotonic() > deadline:
            handle.close()
            raise AlreadyRunning(f"It runs already from this folder, as process {pid}.")
        time.sleep(0.1)
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def _lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def reachable(name: str, addresses: str) -> None:
    """Return if each server in the variable accepts connections. Raises Unreachable."""
    for address in addresses.split(","):
        # Only the variable's name is said, never its value: there may be a password in it.
        try:
            parts = urlsplit(address.strip())
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError as error:
            raise Unreachable(f"{name} is not an address: {error}.") from error
        if port is None or not parts.hostname:
            continue
        try:
            socket.create_connection((parts.hostname, port), timeout=5).close()
        except OSError as error:
            why = error.strerror or str(error)
            raise Unreachable(
                f"{name} names {parts.hostname}:{port}, which does not answer: {why}."
            ) from error
