"""The races that serve an old value from a cache, forced on one way: `python -m …stage WAY URLS`.

The letters are those of docs/caching.md. A reader is stopped between its query and its store; the
verdict of a race is "S" if the old value is still answered when the patience is over. It prints one
line of JSON: a verdict by race.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.cache_servers import CutWire
from benchmarks.peers.kept import Kept, KeptAwaiting, Way, event_loop

LIFE_SECONDS = 300
PATIENCE = 0.5
# A layer that pays what it owes tries every two seconds.
PATIENCE_AFTER_A_CUT = 3.0
DEADLINE = 20
TABLE = "bench_thing"
NONE = "-"


class Stop:
    """Stops the first thread that reads, after its query: an execute wrapper of Django."""

    def __init__(self) -> None:
        self.has_read = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = run(sql, *rest)
        if TABLE in sql and sql.startswith("SELECT") and not self.has_read.is_set():
            self.has_read.set()
            assert self.may_go_on.wait(DEADLINE)
        return result


class Stage:
    """One row of the database, kept in one way."""

    def __init__(self, way: Way, wire: CutWire) -> None:
        from benchmarks.peers.models import Thing

        self.wire = wire
        self.things = Thing.objects
        self.kept: Kept = way.keep(read_name, LIFE_SECONDS)
        self.pk = 0

    def set_up(self) -> None:
        """Begin anew with another row."""
        self.pk = self.things.create(name="old").pk

    def read(self) -> str:
        return self.kept(self.pk)

    def write(self, name: str, *, how: str = "save", told: bool = True) -> None:
        """Change the row as a service would, in a transaction."""
        from django.db import connection, transaction

        with transaction.atomic():
            if how == "save":
                self.things.model(pk=self.pk, name=name).save(force_update=True)
            elif how == "update":
                self.things.filter(pk=self.pk).update(name=name)
            else:
                connection.cursor().execute(
                    "UPDATE bench_thing SET name = %s WHERE id = %s", [name, self.pk]
                )
            if told:
                self.kept.tell(self.pk)

    def verdict(self, wanted: str = "new", *, patience: float = PATIENCE) -> str:
        """Look at the value until it is the one that is wanted, or patience is over."""
        until = time.monotonic() + patience
        while self.read() != wanted:
            if time.monotonic() > until:
                return "**S**"
            time.sleep(0.02)
        return "ok"

    @contextmanager
    def reader_that_has_read(self) -> Iterator[None]:
        """Stop a reader between query and store for as long as the block lasts."""
        stop = Stop()
        with stopping(stop):
            answer = in_thread(self.read)
            assert stop.has_read.wait(DEADLINE)
        yield
        stop.may_go_on.set()
        answer.result(DEADLINE)


_stops: list[Stop] = []


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """Let who begins to read inside the block be stopped."""
    _stops.append(stop)
    yield
    _stops.clear()


def read_name(number: int) -> str:
    """Return what the row is called."""
    from django.db import connection

    from benchmarks.peers.models import Thing

    # Here, because an event loop has a connection of its own.
    with ExitStack() as stack:
        for stop in _stops:
            stack.enter_context(connection.execute_wrapper(stop))
        return Thing.objects.get(pk=number).name


def in_thread(work: Callable[[], Any]) -> Future[Any]:
    """Run something in a thread of its own, with its own connection to the database."""
    from django.db import connections

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


def race_a(stage: Stage) -> str:
    """A reader reads the old value, somebody changes it and says so, the reader stores."""
    with stage.reader_that_has_read():
        stage.write("new")
    return stage.verdict()


def race_b(stage: Stage) -> str:
    """A reader reads and stores while the transaction of the change is open."""
    from django.db import transaction

    with transaction.atomic():
        stage.write("new")
        in_thread(stage.read).result(DEADLINE)
    return stage.verdict()


def race_c(stage: Stage) -> str:
    """A writer reads what it has written, and is rolled back."""
    from django.db import transaction

    stage.read()
    with transaction.atomic():
        stage.write("never")
        own = stage.read()
        transaction.set_rollback(True)
    seen = "seen" if own == "never" else "not seen"
    left = "none" if stage.verdict("old") == "ok" else "**phantom**"
    return f"{seen} / {left}"


def race_d(stage: Stage) -> str:
    """`queryset.update()`, and the library is told."""
    stage.read()
    stage.write("new", how="update")
    return stage.verdict()


def race_e(stage: Stage) -> str:
    """Raw SQL, and the library is told."""
    stage.read()
    stage.write("new", how="sql")
    return stage.verdict()


def untold(stage: Stage) -> str:
    """`queryset.update()`, and nobody says a word."""
    stage.read()
    stage.write("new", how="update", told=False)
    return stage.verdict()


def race_f(stage: Stage) -> str:
    """What the library keeps beside the values is evicted, then the row changes."""
    stage.read()
    if not stage.kept.lose_bookkeeping():
        return NONE
    stage.write("new")
    return stage.verdict()


def race_h(stage: Stage) -> str:
    """A reader with an older snapshot (REPEATABLE READ) computes after the change."""
    kept = stage.kept
    if isinstance(kept, KeptAwaiting):

        async def later() -> None:
            with old_snapshot(stage):
                await kept.later(stage.pk)

        event_loop().run_until_complete(later())
    else:
        with old_snapshot(stage):
            stage.read()
    return stage.verdict()


@contextmanager
def old_snapshot(stage: Stage) -> Iterator[None]:
    """See the database as it was before a change, after that change."""
    from django.db import connection, transaction

    with transaction.atomic():
        connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.cursor().execute("SELECT count(*) FROM django_content_type")
        in_thread(lambda: stage.write("new")).result(DEADLINE)
        yield


def race_g(stage: Stage) -> str:
    """The cache is cut off during the change, and is back with all that it held."""
    stage.read()
    stage.wire.cut()
    raised = ""
    began = time.monotonic()
    try:
        stage.write("new")
    except Exception as error:  # noqa: BLE001 - that it raises is what we want to know
        raised = f", raises {type(error).__name__}"
    slow = time.monotonic() - began
    waited = f", {slow:.1f} s" if slow > 1 else ""
    stage.wire.mend()
    return stage.verdict(patience=PATIENCE_AFTER_A_CUT) + raised + waited


RACES: dict[str, Callable[[Stage], str]] = {
    "A": race_a,
    "B": race_b,
    "C: own write / left after rollback": race_c,
    "D": race_d,
    "E": race_e,
    "F": race_f,
    "H": race_h,
    "nobody told": untold,
    # The last one: some need a while until they trust the server again.
    "G": race_g,
}


def main(name: str, urls: dict[str, str]) -> None:
    from benchmarks.peers.ways import ALL, set_up

    way = ALL[name]
    wire = CutWire(int(urls[way.server].rpartition(":")[2]))
    wire.mend()
    through = {**urls, way.server: f"{urls[way.server].rpartition(':')[0]}:{wire.port}"}
    automatic = "1" if "queryset" in name else ""
    set_up([way], through, BENCH_AUTOMATIC=automatic, BENCH_TIMEOUT="0.5")
    stage = Stage(way, wire)
    verdicts = {}
    for letter, race in RACES.items():
        stage.set_up()
        try:
            verdicts[letter] = race(stage)
        except Exception as error:  # noqa: BLE001 - shown in the table
            verdicts[letter] = f"fails: {type(error).__name__}"
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
