"""Programs that are killed, frozen and restarted in the middle of work, and a ledger of the work.

The tests hold our own layer against it, the benchmarks others as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from apps import messaging
from devstack.processes import Program
from tests.support.wait import wait_at_most, work_for

# What a job takes: long enough to be hit in the middle.
WORK_SECONDS = 0.02
# No fault waits longer for its moment than this: what is lost by then is never done.
PATIENCE = 6.0


@dataclass(frozen=True)
class Count:
    """What the ledger says of jobs 0 to `started`."""

    started: int
    lost: int
    begun_twice: int
    done_twice: int


class Ledger:
    """A table with a row for each time that a job began and each time that one ended.

    It forbids nothing: whoever does a job twice is seen.
    """

    def open(self) -> None:
        self._execute("DROP TABLE IF EXISTS chaos_ledger")
        self._execute("CREATE TABLE chaos_ledger (number integer, has_ended boolean)")

    def close(self) -> None:
        self._execute("DROP TABLE chaos_ledger")

    def write(self, number: int, *, has_ended: bool) -> None:
        self._execute("INSERT INTO chaos_ledger VALUES (%s, %s)", number, has_ended)

    def done(self) -> int:
        """How many different jobs have ended."""
        return self._ask("SELECT count(DISTINCT number) FROM chaos_ledger WHERE has_ended")

    def count(self, started: int) -> Count:
        return Count(
            started=started,
            lost=started - self.done(),
            begun_twice=self._twice(has_ended=False),
            done_twice=self._twice(has_ended=True),
        )

    def _twice(self, *, has_ended: bool) -> int:
        return self._ask(
            "SELECT count(*) FROM (SELECT 1 FROM chaos_ledger WHERE has_ended = %s"
            " GROUP BY number HAVING count(*) > 1) AS twice",
            has_ended,
        )

    def _execute(self, statement: str, *values: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    def _ask(self, statement: str, *values: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return int(cursor.fetchone()[0])


ledger = Ledger()


def do_work(number: int) -> None:
    """What every job does, whoever carries it."""
    ledger.write(number, has_ended=False)
    work_for(WORK_SECONDS)
    ledger.write(number, has_ended=True)


@messaging.job(queue="default")
def leave_a_trace(*, number: int) -> None:
    do_work(number)


@dataclass(kw_only=True)
class Storm:
    """Faults in an order, on programs and at places in the work that a seed decides.

    `start(number)` starts one job, `done()` says how many of them are done.
    """

    seed: int
    workers: Sequence[Program]
    broker: Program
    start: Callable[[int], object]
    done: Callable[[], int]
    started: int = 0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    def rage(self, *, jobs: int, kills: int, freezes: int, restarts: int, stalls: int) -> None:
        """Start jobs all the while; return at the end of the last fault, with all running again.

        Workers are killed and frozen, the broker is restarted (after a kill) and stalled (frozen).
        """
        faults = [self._kill] * kills + [self._freeze] * freezes
        faults += [self._restart] * restarts + [self._stall] * stalls
        self.dice.shuffle(faults)
        # One share before each fault and one during it.
        shares = 2 * len(faults)
        for number, fault in enumerate(faults):
            self._start_until(jobs * (2 * number + 1) // shares)
            self._wait_for_a_place()
            fault(jobs * (2 * number + 2) // shares)

    def _kill(self, upto: int) -> None:
        victim = self._pick("kill")
        victim.kill()
        self._start_until(upto)
        victim.spawn()

    def _freeze(self, upto: int) -> None:
        victim = self._pick("freeze")
        victim.freeze()
        self._start_until(upto)
        # Long enough for others to take over all that it holds, and so for it to come back late.
        wait_at_most(PATIENCE, lambda: self.done() == self.started)
        victim.thaw()

    def _restart(self, upto: int) -> None:
        self._note("restart the broker")
        self.broker.kill()
        self._start_until(upto)
        self.broker.start(seconds=60)

    def _stall(self, upto: int) -> None:
        self._note("freeze the broker")
        self.broker.freeze()
        self._start_until(upto)
        self.broker.thaw()

    def _pick(self, verb: str) -> Program:
        # One that has come up: to kill another at its start would hit no work.
        up = [worker for worker in self.workers if worker.is_ready()] or list(self.workers)
        victim = self.dice.choice(up)
        self._note(f"{verb} {victim.name}")
        return victim

    def _start_until(self, upto: int) -> None:
        while self.started < upto:
            self.start(self.started)
            self.started += 1

    def _wait_for_a_place(self) -> None:
        before = self.done()
        place = before + self.dice.randint(0, max(self.started - before, 0))
        wait_at_most(PATIENCE, lambda: self.done() >= place)

    def _note(self, what: str) -> None:
        self.log.append(f"{self.done()} of {self.started} done: {what}")
