"""What this process is called in rows and log lines."""

from __future__ import annotations

import socket

_names: list[str] = []


def take(name: str) -> None:
    """Be called so, in this process and in all that it forks later."""
    _names[:] = [name]


def name() -> str:
    """The name of the worker; the name of the machine in a process that is none."""
    return _names[0] if _names else socket.gethostname()
