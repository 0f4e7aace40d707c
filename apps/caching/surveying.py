"""Which server holds how much, how the servers fare, and what would move if there were others.

For operators: it asks every server, lists its keys and takes its time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from apps.caching.engine import Engine, engine
from apps.caching.node import Node
from apps.caching.servers import score
from apps.caching.stores import CannotTell, Facts, Inspectable, Refused, StoreAway, open_store

PATIENCE = 5.0
ENOUGH = 200_000
SAMPLE = 10_000
ENTRY_PARTS = 4  # prefix, version, function, hash; a function's name may hold colons too


@dataclass(kw_only=True)
class ServerSurvey:
    """What is known of one server. `entries` is None where it does not list its keys."""

    name: str
    answers: bool = True
    facts: Facts | None = None
    entries: int | None = None
    by_function: Counter[str] = field(default_factory=Counter)
    older: int = 0  # entries of other releases: nobody asks for them any more
    misplaced: int = 0  # entries that belong to another server: the list of servers has changed
    bookkeeping: int = 0  # versions of tags, leases, reports
    complete: bool = True  # all keys were looked at, not only the first
    concerns: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What another list of servers would do to these keys."""

    keys: int
    sampled: bool  # the keys were made up, for want of any that exist
    before: dict[str, int]
    after: dict[str, int]
    moved: int
    between_old: int  # moved from one server that stays to another that stays: none should


def survey(*, enough: int = ENOUGH) -> tuple[list[ServerSurvey], list[str]]:
    """Look at every server, at `enough` keys of each at most; return that and the entries' keys."""
    eng = engine()
    found, keys = [], []
    for node in eng.servers.nodes:
        seen, some = _look_at(node, eng, enough)
        found.append(seen)
        keys += some
    return found, keys


def moves(keys: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Moves:
    """Compare two lists of names of servers. Without keys a sample of made-up ones is placed."""
    sampled = not keys
    keys = keys or [f"sample:{number}" for number in range(SAMPLE)]
    olds, news = [place_among(before, key) for key in keys], [place_among(after, k) for k in keys]
    stays = set(before) & set(after)
    pairs = [(old, new) for old, new in zip(olds, news, strict=True) if old != new]
    return Moves(
        keys=len(keys),
        sampled=sampled,
        before={name: olds.count(name) for name in before},
        after={name: news.count(name) for name in after},
        moved=len(pairs),
        between_old=sum(1 for old, new in pairs if old in stays and new in stays),
    )


def place_among(names: Iterable[str], key: str) -> str:
    """Return the name of the server on which `key` lives if these are the servers."""
    return max(names, key=lambda name: score(name, key))


def server_name(url: str) -> str:
    """Return the name by which keys are placed on the server at `url`. Raises ValueError."""
    return open_store(url, timeout=PATIENCE).name


def _look_at(node: Node, eng: Engine, enough: int) -> tuple[ServerSurvey, list[str]]:
    seen = ServerSurvey(name=node.name)
    entries: list[str] = []
    if not isinstance(node.store, Inspectable):
        seen.concerns.append("it is of a kind that cannot be looked into")
        return seen, entries
    inspector = node.store.inspector(timeout=PATIENCE)
    try:
        seen.facts = inspector.facts()
        seen.concerns += seen.facts.concerns
        seen.concerns += _limits(seen.facts, eng)
        keys = list(islice(inspector.keys(f"{eng.keys.prefix}:"), enough + 1))
        seen.complete = len(keys) <= enough
        entries = _sort(seen, dict.fromkeys(keys[:enough]), eng)
    except (StoreAway, Refused) as error:
        seen.answers = False
        seen.concerns.append(f"it does not answer: {error}")
    except CannotTell as error:
        seen.concerns.append(f"it does not list its keys: {error}")
    finally:
        inspector.close()
    return seen, entries


def _limits(facts: Facts, eng: Engine) -> list[str]:
    longest, wanted = facts.longest_item, eng.options.max_bytes
    if longest is not None and longest < wanted:
        return [
            f"it takes items of {longest} bytes at most, MAX_BYTES is {wanted}: start it with -I"
        ]
    return []


def _sort(seen: ServerSurvey, keys: Iterable[str], eng: Engine) -> list[str]:
    """Count what these keys are; return those of entries that are in use."""
    entries = []
    for key in keys:
        _, version, *rest = key.split(":")
        if len(version) == 1 and version.isalpha():
            seen.bookkeeping += 1
        elif version != eng.keys.version or len(rest) < ENTRY_PARTS - 2:
            seen.older += 1
        else:
            entries.append(key)
            seen.by_function[":".join(rest[:-1])] += 1
            seen.misplaced += eng.servers.place(key).name != seen.name
    seen.entries = len(entries)
    if seen.misplaced:
        seen.concerns.append(f"{seen.misplaced} entries belong elsewhere: the servers were others")
    return entries
