"""Reading from Memcached: one question for many keys, and its answer.

get a b c            VALUE a 0 5        one such pair of lines for each key that is there
                     hello
                     END
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from apps.caching.stores.protocol import Refused

PIECE = 64 * 1024


class Reader:
    """One connection. After an error it must be closed: the rest of the answer is still coming."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._socket = socket.create_connection(address, timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key. Raises OSError if the connection is dead, or Refused."""
        question = f"get {' '.join(keys)}\r\n".encode("ascii")
        if len(question.split()) != len(keys) + 1:
            raise Refused("a key is empty or has a space in it")
        self._socket.sendall(question)
        try:
            found = self._read()
        except ValueError as error:
            raise ConnectionError("an answer that is none") from error
        return [found.get(key) for key in keys]

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        data, at = self._receive(), 0
        while True:
            end = data.find(b"\r\n", at)
            if end < 0:
                data, at = data[at:] + self._receive(), 0
                continue
            line = data[at:end]
            if line == b"END":
                return found
            if not line.startswith(b"VALUE "):
                raise Refused(line.decode("utf-8", "replace"))
            _, key, _, size = line.split()
            start = end + 2
            stop = start + int(size)
            while len(data) < stop + 2:
                data += self._receive()
            found[key.decode("ascii")] = data[start:stop]
            at = stop + 2

    def _receive(self) -> bytes:
        piece = self._socket.recv(PIECE)
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        return piece
