"""What each key of `settings.CACHING` may be: one rule for each option, in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_THREADS = 64
LONGEST_TIMEOUT = 60
MOST_BYTES = 512 * 1024 * 1024  # the longest value of Redis
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
SAFE = re.compile(r"[A-Za-z0-9_.@-]{1,32}")
KIND = re.compile(r"[A-Za-z]")  # what stands second in the keys that are no entries
ORIGIN = re.compile(r"https?://[^/\s]+")


@dataclass(frozen=True)
class Rule:
    """`holds` for the values that will do; `says` which these are, after "must be"."""

    holds: Callable[[Any], bool]
    says: str


def is_number(value: object) -> bool:
    """Say whether this is a number: for Python True is one, for a setting it is a slip."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    return is_number(value) and isinstance(value, int)


def is_list_of_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


SECONDS = Rule(lambda value: is_number(value) and value > 0, "seconds, more than 0")
RULES: Mapping[str, Rule] = {
    "servers": Rule(
        lambda value: is_list_of_texts(value) and len(value) > 0,
        "a list of addresses, one at least: redis://host:port/0, memcached://host:port, memory://",
    ),
    "prefix": Rule(matches(SAFE), f"a text that matches {SAFE.pattern}"),
    "version": Rule(
        lambda value: matches(SAFE)(value) and not KIND.fullmatch(value),
        f"a text that matches {SAFE.pattern} and is no single letter",
    ),
    "socket_timeout": Rule(
        lambda value: is_number(value) and 0 < value <= LONGEST_TIMEOUT,
        f"seconds, more than 0 and {LONGEST_TIMEOUT} at most",
    ),
    "compress_from": Rule(lambda value: is_whole(value) and value >= 0, "a number of bytes"),
    "max_bytes": Rule(
        lambda value: is_whole(value) and 0 < value <= MOST_BYTES,
        f"a number of bytes, more than 0 and {MOST_BYTES} at most",
    ),
    "jitter": Rule(
        lambda value: is_number(value) and 0 <= value < 1, "a part of the timeout, 0 to below 1"
    ),
    "lease_seconds": SECONDS,
    "background_threads": Rule(
        lambda value: is_whole(value) and 0 <= value <= MOST_THREADS,
        f"a number from 0 to {MOST_THREADS}",
    ),
    "report_seconds": Rule(
        lambda value: is_number(value) and value >= 0, "seconds, or 0 for no reports"
    ),
    "durable": Rule(lambda value: isinstance(value, bool), "True or False"),
    "sweep_seconds": SECONDS,
    "origins": Rule(
        lambda value: is_list_of_texts(value) and all(map(ORIGIN.fullmatch, value)),
        "a list of origins without a path: https://example.org",
    ),
    "header": Rule(matches(HEADER), f"the name of a header: {HEADER.pattern}"),
    "rewrite_queue": Rule(
        lambda value: isinstance(value, str), 'the name of a queue, or "" for none'
    ),
    "rewrite_seconds": SECONDS,
}


@dataclass(frozen=True)
class Fault:
    """A key of the setting that cannot be used, and what would do."""

    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key} {self.problem}"


def faults(raw: Mapping[str, object]) -> list[Fault]:
    """Return everything that is wrong with a `CACHING` setting, key by key."""
    if not isinstance(raw, Mapping):
        return [Fault("CACHING", "must be a mapping", 'CACHING = {"SERVERS": ["redis://…"]}')]
    known = {name.upper(): rule for name, rule in RULES.items()}
    found = []
    for key, value in raw.items():
        if key not in known:
            remedy = f"The keys are {', '.join(sorted(known))}."
            found.append(Fault(str(key), "is no key of this setting", remedy))
        elif not known[key].holds(value):
            # Not the value itself: an address may hold a password.
            found.append(Fault(key, f"must be {known[key].says}", f"{key}: {known[key].says}."))
    return found
