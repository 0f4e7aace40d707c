"""Take away the file system and the network, as far as the kernel can (Linux 5.13 and later).

An empty environment alone hides nothing from code that a hostile picture smuggles in: a process
may read `/proc/<parent>/environ` of its own user, the originals of others, and connect to the
database. After `confine` it can read one file, write to one folder, and reach nobody.
See https://docs.kernel.org/userspace-api/landlock.html for the numbers.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

# The same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_FILE, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_READ = _READ_FILE
_WORK = _READ_FILE | _READ_DIR | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
# How many rights over files each version of the interface knows; later ones know no fewer.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_SINCE, _BIND_AND_CONNECT = 4, 0b11
_SCOPES_SINCE, _SOCKETS_AND_SIGNALS = 6, 0b11


def confine(*, read: Path, work: Path) -> bool:
    """Leave this process nothing but `read` (a file) and `work` (a folder).

    Returns whether the kernel could do so. Everything else it needs must be loaded before.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:  # an older kernel, or one that was built or started without it
        return False
    rights = (1 << _FILE_RIGHTS.get(version, max(_FILE_RIGHTS.values()))) - 1
    network = _BIND_AND_CONNECT if version >= _NETWORK_SINCE else 0
    scopes = _SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", rights, network, scopes)
    rules = _check(libc.syscall(_CREATE_RULESET, attributes, _size(version), 0))
    with _closing(rules):
        for path, allowed in ((read, _READ), (work, _WORK)):
            _allow(libc, rules, path, allowed & rights)
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(libc.syscall(_RESTRICT_SELF, rules, 0))
    return True


def _size(version: int) -> int:
    """Return how much of the attributes that version knows."""
    return 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    with _closing(descriptor):
        beneath = struct.pack("=Qi", rights, descriptor)
        _check(libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, beneath, 0))


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
