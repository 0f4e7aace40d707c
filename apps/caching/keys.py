"""Names of things in the cache: at most 250 printable characters, and never two things one name."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from uuid import UUID

from django.utils.safestring import SafeString

LONGEST_PLAIN = 100
# Tags that no entry declares and every entry has: `invalidate(EVERYTHING)` is one write a server.
EVERYTHING = "@everything"
OF_FUNCTION = "@function:"
PLAIN = re.compile(r"[A-Za-z0-9_.:@/-]{1,100}")


def short_hash(data: bytes) -> str:
    """Return 32 characters that stand for `data`: blake2b of 128 bits, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Return `name` if every server takes it as part of a key, else a hash of it."""
    return name if PLAIN.fullmatch(name) else f"~{short_hash(name.encode())}"


@dataclass(frozen=True)
class Keyspace:
    """The keys of one site. Entries carry the version, tags do not: see `tag`."""

    prefix: str
    version: str

    @property
    def epoch(self) -> str:
        """Return the tag that every entry has: one write makes a whole server out of date."""
        return f"{self.prefix}:e"

    def entry(self, function: str, digest: str) -> str:
        return f"{self.prefix}:{self.version}:{plain(function)}:{digest}"

    def tag(self, tag: str) -> str:
        # Without the version: while a deploy runs, old and new processes invalidate each other.
        return f"{self.prefix}:t:{plain(tag)}" if tag[:1] != "@" else self._wide(tag)

    def function(self, function: str) -> str:
        return f"{self.prefix}:f:{plain(function)}"

    def _wide(self, tag: str) -> str:
        if tag == EVERYTHING:
            return self.epoch
        if tag.startswith(OF_FUNCTION):
            return self.function(tag.removeprefix(OF_FUNCTION))
        return f"{self.prefix}:t:{plain(tag)}"

    def report(self, number: int) -> str:
        return f"{self.prefix}:s:{number}"

    def asked(self, tag: str) -> str:
        """Return the mark of a tag for which a message to a worker is under way."""
        return f"{self.prefix}:r:{plain(tag)}"

    def rewritten(self, tag: str) -> str:
        """Return the mark of a tag that a worker has rewritten a moment ago."""
        return f"{self.prefix}:w:{plain(tag)}"

    def lease(self, entry: str, versions: Iterable[bytes]) -> str:
        """Return the lease of one generation: who computes outdated data blocks nobody."""
        return f"{self.prefix}:l:{short_hash(entry.encode() + b'|' + b''.join(versions))}"


def is_plain(values: Iterable[object]) -> bool:
    """Say whether these are numbers, short strings and None, which are equal only if canonical
    forms are: True is not the number 1.
    """
    for value in values:  # a loop: this is done at each call, and `all` takes three times as long
        kind = type(value)
        if kind is str:
            if len(value) > LONGEST_PLAIN:  # type: ignore[arg-type] # it is a string
                return False
        elif kind is not int and value is not None:
            return False
    return True


def canonical(value: object) -> bytes:
    """Return bytes that are equal exactly if type and value are equal.

    Every piece has its type and its length in front, so no two argument lists run together.
    Raises TypeError for what has no value of its own, a model instance for example.
    """
    if isinstance(value, Enum):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        return _piece(b"e", canonical(kind) + canonical(value.value))
    encode = _ENCODERS.get(type(value))
    if encode is None:
        raise TypeError(
            f"{type(value).__qualname__} cannot be an argument of a cached function: "
            "pass an id, a string, a date or a container of such"
        )
    tag, body = encode
    return _piece(tag, body(value))


def _piece(tag: bytes, body: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(body), body)


def _text(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _time(value: time | datetime) -> bytes:
    # Two equal moments in two zones are two values: a function may print them differently.
    return f"{value.isoformat()}/{value.fold}/{value.tzinfo}".encode()


def _sequence(value: Iterable[object]) -> bytes:
    return b"".join(canonical(item) for item in value)


def _set(value: Iterable[object]) -> bytes:
    return b"".join(sorted(canonical(item) for item in value))


def _mapping(value: dict[object, object]) -> bytes:
    return b"".join(sorted(canonical(key) + canonical(item) for key, item in value.items()))


_ENCODERS: dict[type, tuple[bytes, Callable[..., bytes]]] = {
    type(None): (b"n", lambda _: b""),
    bool: (b"b", lambda value: b"1" if value else b"0"),
    int: (b"i", lambda value: b"%d" % value),
    float: (b"f", lambda value: struct.pack(">d", value)),
    Decimal: (b"m", _text),
    str: (b"s", _text),
    SafeString: (b"h", _text),
    bytes: (b"y", bytes),
    UUID: (b"u", lambda value: value.bytes),
    date: (b"d", _text),
    datetime: (b"D", _time),
    time: (b"T", _time),
    timedelta: (b"r", lambda value: f"{value.days},{value.seconds},{value.microseconds}".encode()),
    tuple: (b"t", _sequence),
    list: (b"l", _sequence),
    set: (b"c", _set),
    frozenset: (b"C", _set),
    dict: (b"k", _mapping),
}
