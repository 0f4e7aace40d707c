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

import lz4.block
import msgspec

from apps.caching.versions import VERSION_BYTES

MAGIC = b"K1"
HEAD = struct.Struct(">2sBBQII")
MAX_TAGS = 255
COMPRESSED = 0x10
FLAGS = 2  # the offset of the byte that holds the codec and whether it is compressed
# A damaged length must not make the decoder reserve gigabytes.
MAX_PAYLOAD = 64 * 1024 * 1024
_LENGTH = struct.Struct("<I")
_U32 = 0xFFFF_FFFF


class Unreadable(ValueError):
    """These bytes are not an entry of this layout."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """One entry as it lies in the cache. `stamps` are its versions in a row, `payload` is plain."""

    codec: int
    created_ms: int
    fresh_ms: int
    delta_us: int
    stamps: bytes
    payload: bytes

    @property
    def versions(self) -> tuple[bytes, ...]:
        starts = range(0, len(self.stamps), VERSION_BYTES)
        return tuple([self.stamps[start : start + VERSION_BYTES] for start in starts])

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
        len(envelope.stamps) // VERSION_BYTES,
        envelope.created_ms,
        min(envelope.fresh_ms, _U32),
        min(envelope.delta_us, _U32),
    )
    return head + envelope.stamps + payload


def unpack(raw: bytes) -> Envelope:
    """Return what `pack` was given. Raises Unreadable for anything else, never another error."""
    if len(raw) < HEAD.size:
        raise Unreadable("too short")
    magic, flags, tags, created_ms, fresh_ms, delta_us = HEAD.unpack_from(raw)
    start = HEAD.size + VERSION_BYTES * tags
    if magic != MAGIC or flags & ~(COMPRESSED | 0x0F) or len(raw) < start:
        raise Unreadable("another layout")
    payload = raw[start:]
    if flags & COMPRESSED:
        payload = _decompress(payload)
    stamps = raw[HEAD.size : start]
    return Envelope(flags & 0x0F, created_ms, fresh_ms, delta_us, stamps, payload)


def _decompress(payload: bytes) -> bytes:
    if len(payload) < _LENGTH.size or _LENGTH.unpack_from(payload)[0] > MAX_PAYLOAD:
        raise Unreadable("a compressed payload without a credible length")
    try:
        data: bytes = lz4.block.decompress(payload)
    except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
        raise Unreadable("a damaged payload") from error
    return data
