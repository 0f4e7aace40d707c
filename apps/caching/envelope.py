"""The bytes of one entry: a fixed head, one version per tag, the payload.

All numbers are big-endian.

    offset  bytes  what
    0       2      "K1"
    2       1      low four bits: codec; 0x10: the payload is compressed; the rest is zero
    3       1      number of tags n
    4       8      when it was computed, milliseconds since 1970
    12      4      fresh for so many milliseconds
    16      4      how long the computation took, microseconds
    20      8 n    the version of each tag, in the order in which the function names them
    20+8n          payload
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import lz4.block

from apps.caching.versions import VERSION_BYTES

MAGIC = b"K1"
HEAD = struct.Struct(">2sBBQII")
MAX_TAGS = 255
COMPRESSED = 0x10
# A damaged length must not make the decoder reserve gigabytes.
MAX_PAYLOAD = 64 * 1024 * 1024
_U32 = 0xFFFF_FFFF


class Unreadable(ValueError):
    """These bytes are not an entry of this layout."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One entry as it lies in the cache. `payload` is uncompressed."""

    codec: int
    created_ms: int
    fresh_ms: int
    delta_us: int
    versions: tuple[bytes, ...]
    payload: bytes

    def is_fresh(self, now_ms: int) -> bool:
        return now_ms < self.created_ms + self.fresh_ms


def pack(envelope: Envelope, *, compress_from: int) -> bytes:
    """Return the bytes of `envelope`, compressed if the payload is long and it helps."""
    codec, payload = envelope.codec, envelope.payload
    if len(payload) >= compress_from:
        # LZ4 block with the uncompressed length in front (four bytes, little-endian).
        compressed = lz4.block.compress(payload, store_size=True)
        if len(compressed) < len(payload):
            codec, payload = codec | COMPRESSED, compressed
    head = HEAD.pack(
        MAGIC,
        codec,
        len(envelope.versions),
        envelope.created_ms,
        min(envelope.fresh_ms, _U32),
        min(envelope.delta_us, _U32),
    )
    return head + b"".join(envelope.versions) + payload


def unpack(raw: bytes) -> Envelope:
    """Return what `pack` was given. Raises Unreadable for anything else, never another error."""
    if len(raw) < HEAD.size:
        raise Unreadable("too short")
    magic, flags, tags, created_ms, fresh_ms, delta_us = HEAD.unpack_from(raw)
    start = HEAD.size + VERSION_BYTES * tags
    if magic != MAGIC or flags & ~(COMPRESSED | 0x0F) or len(raw) < start:
        raise Unreadable("another layout")
    stamps = raw[HEAD.size : start]
    versions = tuple(stamps[i : i + VERSION_BYTES] for i in range(0, len(stamps), VERSION_BYTES))
    payload = raw[start:]
    if flags & COMPRESSED:
        payload = _decompress(payload)
    return Envelope(flags & 0x0F, created_ms, fresh_ms, delta_us, versions, payload)


def _decompress(payload: bytes) -> bytes:
    if len(payload) < 4 or int.from_bytes(payload[:4], "little") > MAX_PAYLOAD:  # noqa: PLR2004
        raise Unreadable("a compressed payload without a credible length")
    try:
        data: bytes = lz4.block.decompress(payload)
    except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
        raise Unreadable("a damaged payload") from error
    return data
