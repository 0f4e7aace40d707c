"""Anything may happen in any order: readers, writers, losses, absences. The answer is never old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apps import caching
from apps.caching import memo
from apps.caching.servers import Servers
from tests.support.caching import Flaky, serving

THINGS = range(3)
rows: dict[int, int] = {}
meanwhile: list[Callable[[], None]] = []


@caching.cached(timeout=timedelta(minutes=5), tags=["thing:{number}"])
def read(number: int) -> int:
    value = rows[number]
    while meanwhile:
        meanwhile.pop()()
    return value


@caching.cached(timeout=timedelta(minutes=5), tags=["things"], stale_for=timedelta(minutes=5))
def read_all() -> list[int]:
    return [rows[number] for number in THINGS]


@caching.cached(timeout=timedelta(minutes=5), tags=["things", *(f"thing:{n}" for n in THINGS)])
def read_sum() -> int:
    """An entry built from entries."""
    return sum(read.many([(number,) for number in THINGS]))


class Cache(RuleBasedStateMachine):
    """The model is `rows`: what a computation would answer at this moment."""

    def __init__(self) -> None:
        super().__init__()
        rows.update(dict.fromkeys(THINGS, 0))
        self.stores = [Flaky(f"memory://{letter}") for letter in "ab"]
        self.block = serving(*self.stores)
        self.servers: Servers = self.block.__enter__()
        self.request = memo.remembering()
        self.request.__enter__()

    def teardown(self) -> None:
        for store in self.stores:
            store.away = store.full = False
        self.request.__exit__(None, None, None)
        self.servers.close()
        self.block.__exit__(None, None, None)

    @rule(number=st.sampled_from(THINGS))
    def somebody_reads(self, number: int) -> None:
        assert read(number) == rows[number]

    @rule()
    def somebody_reads_a_list(self) -> None:
        assert read_all() == [rows[number] for number in THINGS]
        assert read.many([(number,) for number in THINGS]) == list(rows.values())

    @rule()
    def somebody_reads_what_is_built_of_others(self) -> None:
        assert read_sum() == sum(rows.values())

    @rule(number=st.sampled_from(THINGS))
    def somebody_looks_ahead(self, number: int) -> None:
        caching.prefetch(read.call(number), read_all.call(), read_sum.call())

    @rule(number=st.sampled_from(THINGS), value=st.integers(0, 99))
    def somebody_writes(self, number: int, value: int) -> None:
        rows[number] = value
        caching.invalidate(f"thing:{number}", "things")

    @rule(number=st.sampled_from(THINGS), value=st.integers(0, 99))
    def somebody_writes_while_another_computes(self, number: int, value: int) -> None:
        before = rows[number]
        read.forget(number)
        meanwhile.append(lambda: self.somebody_writes(number, value))

        # It may have been computed already, or begun before the change; afterwards it may not.
        assert read(number) in {before, value}
        while meanwhile:
            meanwhile.pop()()
        self.another_request_begins()  # this one may keep what it has seen
        assert read(number) == value

    @rule(number=st.sampled_from(THINGS), value=st.integers(0, 99))
    def another_process_writes_while_this_request_goes_on(self, number: int, value: int) -> None:
        with memo.suspended():
            self.somebody_writes(number, value)

        read_sum()  # may be built before or after, but what is stored must not mix the two
        self.another_request_begins()
        assert read_sum() == sum(rows.values())

    @rule(number=st.sampled_from(THINGS))
    def somebody_rewrites_an_entry(self, number: int) -> None:
        assert read.refresh(number) == rows[number]

    @rule(number=st.sampled_from(THINGS), which=st.sampled_from([0, 1]))
    def an_entry_is_evicted(self, number: int, which: int) -> None:
        self.stores[which].clear(containing=read.call(number).digest)

    @rule(which=st.sampled_from([0, 1]))
    def a_server_forgets_everything(self, which: int) -> None:
        self.stores[which].clear()

    @rule(which=st.sampled_from([0, 1]))
    def a_server_forgets_the_versions_only(self, which: int) -> None:
        self.stores[which].clear(containing=":t:")

    @precondition(lambda self: not any(store.away for store in self.stores))
    @rule(which=st.sampled_from([0, 1]))
    def a_server_goes_away(self, which: int) -> None:
        self.stores[which].away = True

    @precondition(lambda self: any(store.away for store in self.stores))
    @rule()
    def it_is_back_with_all_it_held(self) -> None:
        for store in self.stores:
            store.away = False

    @rule(full=st.booleans())
    def the_memory_of_a_server_fills(self, full: bool) -> None:
        self.stores[0].full = full

    @rule()
    def another_request_begins(self) -> None:
        self.request.__exit__(None, None, None)
        self.request = memo.remembering()
        self.request.__enter__()

    @invariant()
    def what_is_owed_is_not_read(self) -> None:
        for node in self.servers.nodes:
            if node.owes:
                assert node.get(["anything"]) is None or not node.owes


TestCache = Cache.TestCase
TestCache.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR")
