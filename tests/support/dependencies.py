"""Dependencies that no tag names: a service writes what a cached function reads, and keeps still.

`nothing_is_stale` compares values, so it needs a test in which the value changes. This looks at the
SQL instead: which tables and columns a function read while it was computed and under which kinds of
tags ("photo:17" is of the kind "photo"), and what each transaction wrote and invalidated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction

from apps.caching.events import Event, Invalidated, Stored, listening
from apps.caching.keeping import compute_one
from apps.caching.nesting import Computation, current
from apps.caching.prefill import prefills
from apps.caching.stores.memory import MemoryStore
from tests.support.caching import serving

# "FOR UPDATE" locks and "DO UPDATE" belongs to its INSERT.
WRITE = re.compile(
    r'(?<!FOR )(?<!KEY )(?<!DO )\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?)\s+"?(\w+)',
    re.IGNORECASE,
)
READ = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)', re.IGNORECASE)
COLUMN = re.compile(r'"(\w+)"\."(\w+)"')
SET = re.compile(r"\bSET\b(.*?)(?:\bWHERE\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)
ASSIGNED = re.compile(r'"?(\w+)"?\s*=')


@dataclass
class Reading:
    """What one function read of one table. No columns: it did not say which."""

    kinds: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    lists: bool = False  # rows that come or go concern it, not only rows that it names


@dataclass(frozen=True)
class Write:
    verb: str
    table: str
    columns: frozenset[str]
    sql: str


@dataclass(frozen=True)
class Waiver:
    """Writes that nobody sees though a cached function reads their table, and why that is so."""

    verb: str
    table: str
    because: str
    columns: frozenset[str] = frozenset()  # an UPDATE of no others; none: of any

    def __post_init__(self) -> None:
        if not self.because.strip():
            raise ValueError("a waiver says why")

    def excuses(self, write: Write) -> bool:
        same = (write.verb, write.table) == (self.verb, self.table)
        return same and (not self.columns or write.columns <= self.columns)


class Watcher:
    """Notes what cached functions read and what transactions write, and compares."""

    def __init__(self, *waivers: Waiver) -> None:
        self.waivers = waivers
        self.excused: set[Waiver] = set()
        self.readings: dict[tuple[str, str], Reading] = {}
        # What was computed together names in `declared` only the tags that all of it has.
        self.stored: dict[str, set[str]] = {}
        self.written: list[tuple[Write, frozenset[str]]] = []
        self._told: list[frozenset[str]] = []

    def execute(
        self, run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Note a statement and run it: a Django execute wrapper."""
        answer = run(sql, params, many, context)
        computation, connection = current(), context["connection"]
        if computation is not None:
            self._note_read(sql, computation)
        elif connection.in_atomic_block and touched_rows(sql, context["cursor"].rowcount):
            for write in writes_of(sql):
                # At commit, after the invalidation: what is rolled back was never written.
                hook = partial(self._note_write, write, len(self._told))
                transaction.on_commit(hook, using=connection.alias)
        return answer

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at every statement of this thread inside the block."""
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(self.execute))
            stack.enter_context(listening(self.hear))
            yield

    def hear(self, event: Event) -> None:
        if isinstance(event, Invalidated):
            self._told.append(frozenset(map(kind_of, event.tags)))
        elif isinstance(event, Stored):
            self.stored.setdefault(event.call.name, set()).update(map(kind_of, event.call.tags))

    def undeclared(self) -> list[str]:
        """Return a line for each dependency that a write has passed over."""
        return sorted(
            {
                f"{function} reads {table} under {sorted(kinds)}, "
                f"which this write does not invalidate: {write.sql}"
                for (function, table), reading in self.readings.items()
                for kinds in [reading.kinds | self.stored.get(function, set())]
                for write, told in self.written
                if table == write.table and kinds.isdisjoint(told)
                if concerns(write, reading) and not self._excuse(write)
            }
        )

    def _excuse(self, write: Write) -> bool:
        waivers = [waiver for waiver in self.waivers if waiver.excuses(write)]
        self.excused.update(waivers)
        return bool(waivers)

    def _note_read(self, sql: str, computation: Computation) -> None:
        columns = COLUMN.findall(sql)
        for table in READ.findall(sql):
            reading = self.readings.setdefault((computation.name, table), Reading())
            reading.kinds |= set(map(kind_of, computation.declared))
            reading.columns |= {column for owner, column in columns if owner == table}
            reading.lists |= not names_its_rows(sql, table)

    def _note_write(self, write: Write, before: int) -> None:
        self.written.append((write, frozenset().union(*self._told[before:])))


def is_watching(hook: Callable[[], object]) -> bool:
    """Say whether this is a hook at a commit that a watcher, and no service, has left."""
    noted = hook.func if isinstance(hook, partial) else None
    return isinstance(getattr(noted, "__self__", None), Watcher)


def kind_of(tag: str) -> str:
    return tag.partition(":")[0]


def writes_of(sql: str) -> Iterable[Write]:
    """Yield each table that this statement writes, also in a WITH."""
    assigned = SET.search(sql)
    columns = frozenset(ASSIGNED.findall(assigned.group(1))) if assigned else frozenset()
    for verb, table in WRITE.findall(sql):
        yield Write(verb.split()[0].upper(), table, columns, sql)


def touched_rows(sql: str, rowcount: int) -> bool:
    """Say whether a statement may have written; what is in a WITH is not counted by anybody."""
    return rowcount != 0 or sql.lstrip()[:4].upper() == "WITH"


def names_its_rows(sql: str, table: str) -> bool:
    """Say whether the rows of `table` are found by their key: then no other row concerns it."""
    key = rf'"{table}"\."id"'
    return bool(re.search(rf"{key}\s*(?:=|IN\b)|=\s*\(?{key}", sql))


def concerns(write: Write, reading: Reading) -> bool:
    if write.verb != "UPDATE":
        return reading.lists
    return not reading.columns or not reading.columns.isdisjoint(write.columns)


@pytest.fixture
def nothing_is_undeclared(
    transactional_db: None, request: pytest.FixtureRequest
) -> Iterator[Watcher]:
    """Fail the test if a transaction wrote what a cached function reads under other tags.

    Compute what a change concerns, call the service. Only writes in transactions count, as those
    of services are: what a test prepares with `objects.create` is not looked at. The mark
    `waived("UPDATE", "accounts_user", "email", because="...")` excuses such writes of a test or a
    module; one on a test that excuses nothing fails it.
    """
    watcher = Watcher(*map(_waiver, request.node.iter_markers("waived")))
    # What the home page shows is looked at in every test, and is in no test's cache.
    with watcher.watching(), serving(MemoryStore()):
        for call in [call for prefill in prefills.values() for call in prefill()]:
            compute_one(call)
    with watcher.watching():
        yield watcher
    undeclared = watcher.undeclared()
    assert not undeclared, "\n".join(["undeclared dependencies:", *undeclared])
    own = {_waiver(mark) for mark in request.node.own_markers if mark.name == "waived"}
    assert own <= watcher.excused, f"waived, and nothing to excuse: {own - watcher.excused}"


def _waiver(mark: pytest.Mark) -> Waiver:
    verb, table, *columns = mark.args
    return Waiver(verb, table, columns=frozenset(columns), **mark.kwargs)
