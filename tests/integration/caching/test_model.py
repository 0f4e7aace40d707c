"""Two processes, two servers, one database, and everything that may happen, in any order.

No reader is ever answered with less than the last invalidation that was delivered before he asked,
nor with what was never committed. A row counts upwards, so that an answer tells its age.

With MODEL_EXAMPLES=2000 in the environment it looks for minutes; see docs/caching.md.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from hypothesis import HealthCheck
from hypothesis import settings as how_long
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from apps.caching import keeping, lookup, memo, renewal, rewriter, versions
from apps.caching.learning import guesses
from apps.caching.models import Undelivered
from apps.caching.rewriter import rewrite
from apps.caching.sweeping import sweep
from tests.support.caching import Flaky
from tests.support.model import (
    COMPUTERS,
    READERS,
    THINGS,
    hot,
    meanwhile,
    nested,
    one,
    select,
    set_and_tell,
    write,
    write_in_vain,
)
from tests.support.processes_of_a_site import Clock, Process

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
STEPS = 50
# What a server forgets, by what is in the key: all, tags, the function, the epoch, leases, entries.
LOST = ["", ":t:", ":f:", ":e", ":l:", "one", "nested", "page", "hot"]
HOUR = 3_600_000_000_000
clock = Clock()
things, processes, servers = (
    st.sampled_from(THINGS),
    st.sampled_from([0, 1]),
    st.sampled_from([0, 1]),
)
readers = st.sampled_from(READERS)
computers = st.sampled_from(COMPUTERS)


class Site(RuleBasedStateMachine):
    """`committed` is the database; `least` what each process may be answered with at least."""

    def __init__(self) -> None:
        super().__init__()
        Undelivered.objects.all().delete()
        Group.objects.all().delete()
        Group.objects.bulk_create([Group(pk=number, name=f"{number}:0") for number in THINGS])
        self.count = itertools.count(1)
        self.committed = dict.fromkeys(THINGS, 0)
        self.least = [dict.fromkeys(THINGS, 0) for _ in range(2)]
        self.late: list[Callable[[], object]] = []
        self.servers = [Flaky(f"memory://{letter}") for letter in "ab"]
        self.processes = [Process(self.servers, self.late) for _ in range(2)]
        meanwhile.clear()

    def teardown(self) -> None:
        clock.offset = 0
        for process in self.processes:
            process.end()

    def ask(self, who: int, read: Callable[[int], int], number: int) -> None:
        least = self.least[who][number]
        answer = self.processes[who].run(lambda: read(number))
        assert least <= answer <= self.committed[number], (read, least, answer, self.committed)

    def tell(self, who: int, number: int, work: Callable[[int], None]) -> None:
        value = next(self.count)
        self.processes[who].run(lambda: work(value))
        self.committed[number] = self.least[who][number] = value
        self.note_what_arrived()

    def note_what_arrived(self) -> None:
        if not Undelivered.objects.exists() and not any(p.owes for p in self.processes):
            self.least = [dict(self.committed) for _ in self.processes]

    @rule(who=processes, read=readers, number=things)
    def somebody_reads(self, who: int, read: Callable[[int], int], number: int) -> None:
        self.ask(who, read, number)

    @rule(who=processes, number=things)
    def somebody_writes(self, who: int, number: int) -> None:
        self.tell(who, number, lambda value: write(number, value))

    @rule(who=processes, number=things)
    def somebody_writes_without_a_transaction(self, who: int, number: int) -> None:
        self.tell(who, number, lambda value: set_and_tell(number, value))

    @rule(who=processes, number=things, read=readers)
    def somebody_takes_a_write_back(self, who: int, number: int, read: Any) -> None:
        self.processes[who].run(lambda: write_in_vain(number, read))
        self.ask(who, read, number)

    @rule(who=processes, number=things, other=things)
    def somebody_takes_half_of_it_back(self, who: int, number: int, other: int) -> None:
        def work(value: int) -> None:
            with transaction.atomic():
                set_and_tell(number, value)
                write_in_vain(other, nested)

        self.tell(who, number, work)

    @rule(who=processes, number=things, read=readers)
    def another_reads_before_the_commit(self, who: int, number: int, read: Any) -> None:
        def work(value: int) -> None:
            with transaction.atomic():
                set_and_tell(number, value)
                self.ask(1 - who, read, number)
                assert one(number) == nested(number) == value

        self.tell(who, number, work)

    @rule(who=processes, number=things, read=computers)
    def another_writes_while_somebody_computes(self, who: int, number: int, read: Any) -> None:
        self.processes[who].run(lambda: one.forget(number))
        self.processes[who].run(lambda: hot.forget(number))
        meanwhile.append(lambda: self.somebody_writes(1 - who, number))
        self.ask(who, read, number)
        meanwhile.clear()

    @rule(who=processes, number=things, read=computers)
    def another_writes_after_a_snapshot(self, who: int, number: int, read: Any) -> None:
        def work() -> None:
            with transaction.atomic():
                connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                select(number)
                self.somebody_writes(1 - who, number)
                read(number)

        self.processes[who].run(work)

    @rule(who=processes, number=things, read=readers)
    def another_writes_during_a_request(self, who: int, number: int, read: Any) -> None:
        def work() -> None:
            with memo.remembering():
                one(number)
                self.somebody_writes(1 - who, number)
                read(number)

        self.processes[who].run(work)
        self.ask(who, read, number)

    @rule(who=processes, which=servers, number=things, read=readers)
    def a_server_is_told_late(self, who: int, which: int, number: int, read: Any) -> None:
        self.ask(1 - who, one, number)
        link, before = self.processes[who].links[which], self.processes[who].links[which].away
        link.away = True
        self.somebody_writes(who, number)
        self.ask(1 - who, read, number)
        link.away = before
        self.somebody_pays(who)
        self.somebody_sweeps(who)
        self.ask(1 - who, read, number)

    @rule(who=processes, number=things, read=readers)
    def versions_are_lost_after_a_change(self, who: int, number: int, read: Any) -> None:
        self.ask(who, read, number)
        self.somebody_writes(who, number)
        for server in self.servers:
            server.clear(containing=":t:")
        self.ask(who, read, number)

    @rule(who=processes, number=things)
    def a_worker_rewrites(self, who: int, number: int) -> None:
        self.processes[who].run(lambda: rewrite([f"thing:{number}"]))
        self.ask(1 - who, hot, number)

    @rule(who=processes, number=things)
    def another_writes_while_a_worker_rewrites(self, who: int, number: int) -> None:
        self.ask(who, hot, number)
        self.somebody_writes(1 - who, number)
        meanwhile.append(lambda: self.somebody_writes(1 - who, number))
        self.processes[who].run(lambda: rewrite([f"thing:{number}"]))
        meanwhile.clear()  # it found nothing to do
        self.ask(1 - who, hot, number)

    @rule()
    def nobody_knows_what_pages_are_built_from(self) -> None:
        guesses.forget_all()

    @rule(which=servers, what=st.sampled_from(LOST))
    def a_server_forgets(self, which: int, what: str) -> None:
        self.servers[which].clear(containing=what)

    @rule(which=servers, full=st.booleans())
    def the_memory_of_a_server_fills(self, which: int, full: bool) -> None:
        self.servers[which].full = full

    @rule(who=processes, which=servers, how=st.sampled_from(["away", "slow"]))
    def somebody_is_cut_off(self, who: int, which: int, how: str) -> None:
        setattr(self.processes[who].links[which], how, True)

    @rule(who=processes)
    def somebody_is_connected_again(self, who: int) -> None:
        for link in self.processes[who].links:
            link.away = link.slow = False
        self.processes[who].now += 60

    @rule(newest=st.booleans())
    def a_command_comes_late(self, newest: bool) -> None:
        if self.late:
            work = self.late.pop(-1 if newest else 0)
            for server in self.servers:
                server.full = False
            work()

    @rule(who=processes)
    def somebody_pays(self, who: int) -> None:
        self.processes[who].run(self.processes[who].pay)
        self.note_what_arrived()

    @rule(who=processes)
    def somebody_is_killed(self, who: int) -> None:
        self.processes[who].start_again()
        self.least[who] = {n: min(least[n] for least in self.least) for n in THINGS}

    @rule(who=processes)
    def somebody_sweeps(self, who: int) -> None:
        self.processes[who].run(lambda: sweep(grace=timedelta(0)))
        self.note_what_arrived()

    @rule(hours=st.integers(-3, 3))
    def the_clock_is_set(self, hours: int) -> None:
        clock.offset += hours * HOUR

    @invariant()
    def what_is_owed_is_not_read(self) -> None:
        for process in self.processes:
            for node in process.servers.nodes:
                assert not node.owes or node.get(["anything"]) is None


@pytest.fixture
def _settable_clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    # A lease that arrives late is nobody's, and waited for.
    settings.CACHING = {**settings.CACHING, "LEASE_SECONDS": 0.02, "REWRITE_SECONDS": 0.001}
    for module in (versions, lookup, keeping, renewal, rewriter):
        monkeypatch.setattr(module, "time", clock)


@pytest.mark.usefixtures("_settable_clock")
def test_no_answer_is_older_than_what_was_delivered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    run_state_machine_as_test(
        Site,
        settings=how_long(
            deadline=None,
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
