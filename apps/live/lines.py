"""Hang up on a browser that reads nothing: the server keeps its line open otherwise.

ASGI has no word for that. A server that is told of the end of an answer still has to deliver what
it holds of it, and waits for that as long as the browser likes; so the system's own list of this
process' sockets is looked through for the one that leads there.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Linux has it as a link, other systems of the kind as it is.
_OPEN_FILES = Path("/dev/fd")
# To close means to reset: what is still to be sent is thrown away, and so is its memory.
_AT_ONCE = struct.pack("ii", 1, 0)

Address = tuple[str, str]


def hang_up(*peers: Address) -> int:
    """Reset the lines to these addresses and ports, and return how many there were.

    Whoever waits for such a line, here the server, sees it broken and closes it.
    """
    wanted, found = set(peers), 0
    for line in _lines():
        with line:
            if _peer_of(line) in wanted:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                with suppress(OSError):  # it is closed at this very moment
                    line.shutdown(socket.SHUT_RDWR)
                found += 1
        if found == len(wanted):
            break
    return found


def _lines() -> Iterator[socket.socket]:
    """Give every socket of this process, as a copy: the number may be another's a moment later."""
    for file in _OPEN_FILES.iterdir():
        try:
            copy = os.dup(int(file.name))
        except OSError:  # it was closed meanwhile
            continue
        try:
            line = socket.socket(fileno=copy)
        except OSError:  # a file, or a pipe
            os.close(copy)
            continue
        yield line


def _peer_of(line: socket.socket) -> Address | None:
    try:
        peer = line.getpeername()
    except OSError:  # it listens, or nobody is there any more
        return None
    return (str(peer[0]), str(peer[1])) if isinstance(peer, tuple) else None
