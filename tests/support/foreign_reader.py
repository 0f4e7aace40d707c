"""Another program: it reads entries with docs/caching.md in hand and nothing of the layer.

Bare sockets, `struct`, an LZ4 block decoder of a few lines, and another MessagePack library.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

import msgpack

from devstack.servers import Memcached, Valkey

HEAD = ">2sBBQII"
LONG = 15  # a length that goes on in the next bytes
SHORTEST_MATCH = 4


@dataclass
class ForeignEntry:
    codec: int
    compressed: bool
    created_ms: int
    fresh_ms: int
    delta_us: int
    versions: list[bytes]
    payload: bytes

    @property
    def value(self) -> object:
        """Return the payload as its codec says."""
        if self.codec == 0:
            return None
        if self.codec in {1, 2}:
            return self.payload.decode("utf-8")
        if self.codec == 3:
            return msgpack.unpackb(self.payload)
        assert self.codec == 4
        return self.payload


def parse(raw: bytes) -> ForeignEntry:
    """Take the bytes of an entry apart."""
    magic, flags, number, created, fresh, delta = struct.unpack(HEAD, raw[:20])
    assert magic == b"K1"
    assert not flags & 0b1110_0000
    versions = [raw[20 + 8 * i : 28 + 8 * i] for i in range(number)]
    payload = raw[20 + 8 * number :]
    compressed = bool(flags & 0x10)
    if compressed:
        length = int.from_bytes(payload[:4], "little")
        payload = decompress(payload[4:])
        assert len(payload) == length
    return ForeignEntry(flags & 0x0F, compressed, created, fresh, delta, versions, payload)


def decompress(block: bytes) -> bytes:
    """Return what one LZ4 block holds: literals, then a match in what is there, and so on."""
    out, at = bytearray(), 0
    while at < len(block):
        token = block[at]
        length, at = _length(block, at + 1, token >> 4)
        out += block[at : at + length]
        at += length
        if at == len(block):
            break  # the last sequence has no match
        offset = int.from_bytes(block[at : at + 2], "little")
        length, at = _length(block, at + 2, token & 0x0F)
        for _ in range(length + SHORTEST_MATCH):
            out.append(out[-offset])  # byte by byte: a match may run into itself
    return bytes(out)


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == LONG:
        while True:
            length += block[at]
            at += 1
            if block[at - 1] != 0xFF:
                break
    return length, at


def fetch(server: Valkey | Memcached, key: str) -> bytes | None:
    """Return what lies under the key, asked for in the server's own words."""
    question = f"get {key}\r\n"
    if isinstance(server, Valkey):
        question = f"*2\r\n$3\r\nGET\r\n${len(key)}\r\n{key}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(question.encode())
        answers = connection.makefile("rb")
        words = answers.readline().split()
        # "$-1", or "END" at once, is nothing; else the length is the last word of the line.
        if words in ([b"$-1"], [b"END"]):
            return None
        return answers.read(int(words[-1].removeprefix(b"$")))


def store(server: Valkey | Memcached, key: str, value: bytes) -> None:
    """Put a value under the key for a minute."""
    question = b"set %b 0 60 %d\r\n%b\r\n" % (key.encode(), len(value), value)
    if isinstance(server, Valkey):
        words = [b"SET", key.encode(), value, b"EX", b"60"]
        parts = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
        question = b"*%d\r\n%b" % (len(words), parts)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(question)
        assert connection.makefile("rb").readline() in {b"+OK\r\n", b"STORED\r\n"}
