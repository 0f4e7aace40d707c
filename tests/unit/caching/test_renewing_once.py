"""An entry is renewed once: who was shown the old one does not compute again what has replaced it.

Between a look and the lease for what it found due another process may have stored the next entry
and let go. A request that remembers what it was shown stands here for the reader in that gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import time_machine
from django.contrib.auth.models import Group

from apps import caching
from apps.caching import memo, rewriter
from apps.caching.engine import engine
from apps.caching.lookup import look_up, place
from apps.caching.stores import Item
from tests.support.caching import Flaky, serving
from tests.support.renewal import (
    counts,
    get_ahead,
    get_soft,
    get_together,
    leases,
    settle_down,
    source,
)
from tests.support.rewriting import get_hot_name, kept, rename

pytestmark = pytest.mark.usefixtures("background_threads")
HOUR = 3600


@contextmanager
def having_looked(*calls: caching.Call[str]) -> Iterator[None]:
    """Be a request that was shown these entries already, whatever becomes of them."""
    with memo.remembering():
        caching.prefetch(*calls)
        yield


def elsewhere(ask: Callable[[], object]) -> None:
    """Let another process ask, and do all that follows from it."""
    with memo.suspended():
        ask()
        settle_down()


@pytest.mark.parametrize(
    ("get", "seconds"), [(get_soft, 61), (get_ahead, 40)], ids=["past its end", "ahead of it"]
)
def test_who_looked_before_it_was_stored_does_not_renew_it_again(
    clock: time_machine.Traveller, get: caching.CachedFunction[[int], str], seconds: int
) -> None:
    get(1)
    clock.shift(seconds)
    source.value = "new"

    with having_looked(get.call(1)):
        elsewhere(lambda: get(1))
        assert get(1) == "old"  # as this request was shown it
        settle_down()

    assert len(source.computed) == 2
    assert counts(get)["spared"] == 1
    assert leases(get.call(1)) == [None]
    assert get(1) == "new"


def test_one_that_lost_its_lease_without_storing_is_followed_by_the_next(
    clock: time_machine.Traveller,
) -> None:
    get_soft(1)
    clock.shift(61)
    source.value = "new"

    with having_looked(get_soft.call(1)):
        source.error = RuntimeError("no")
        elsewhere(lambda: get_soft(1))
        source.error = None
        get_soft(1)
        settle_down()

    assert get_soft(1) == "new"
    assert "spared" not in counts(get_soft)


def test_of_many_only_those_are_computed_that_nobody_has_renewed(
    clock: time_machine.Traveller,
) -> None:
    numbers = [(1,), (2,), (3,)]
    get_together.many(numbers)
    clock.shift(61)

    with having_looked(*(get_together.call(*each) for each in numbers)):
        elsewhere(lambda: get_together(2))
        source.computed.clear()
        get_together.many(numbers)
        settle_down()

    assert source.computed == [(1, 3)]


def test_what_a_change_has_made_out_of_date_meanwhile_is_nobodys_renewal(
    clock: time_machine.Traveller,
) -> None:
    get_soft(1)
    clock.shift(61)

    with having_looked(get_soft.call(1)):
        caching.invalidate("thing:1")
        source.value = "changed"
        with memo.suspended():
            assert get_soft(1) == "changed"
        get_soft(1)
        settle_down()

    assert get_soft(1) == "changed"


# --- Clocks that differ, and commands that come late ----------------------------------------------
def test_what_a_process_with_a_slow_clock_has_renewed_counts_too(
    clock: time_machine.Traveller,
) -> None:
    get_soft(1)
    clock.shift(61)

    with having_looked(get_soft.call(1)):
        clock.shift(-HOUR)
        elsewhere(lambda: get_soft.refresh(1))
        clock.shift(HOUR)
        get_soft(1)
        settle_down()
    assert counts(get_soft)["spared"] == 1

    # By our clock it is long over: the next reader here has it renewed.
    source.value = "new"
    get_soft(1)
    settle_down()
    assert get_soft(1) == "new"


def test_an_entry_of_before_that_comes_late_puts_a_renewal_off_until_the_next_reader(
    clock: time_machine.Traveller,
) -> None:
    get_soft(1)
    where = place(get_soft.call(1), engine())
    [first] = where.node.get([where.key]) or [None]
    assert first is not None
    clock.shift(61)
    elsewhere(lambda: get_soft(1))
    clock.shift(61)
    source.value = "new"

    with having_looked(get_soft.call(1)):
        where.node.put([Item(where.key, first, HOUR)])
        get_soft(1)
        settle_down()
    assert look_up([get_soft.call(1)])[0].value == "old"

    get_soft(1)
    settle_down()
    assert get_soft(1) == "new"


# --- Rewriting ------------------------------------------------------------------------------------
class Overtaken(Flaky):
    """Lets somebody be quicker, once, than who asks for a lease."""

    def __init__(self) -> None:
        super().__init__()
        self.quicker: list[Callable[[], object]] = []

    def add(self, items: Sequence[Item]) -> list[bool]:
        if any(":l:" in item.key for item in items) and self.quicker:
            self.quicker.pop()()
        return super().add(items)


@pytest.mark.django_db(transaction=True)
def test_what_a_reader_has_computed_since_the_change_is_not_rewritten() -> None:
    store = Overtaken()
    with serving(store):
        group = Group.objects.create(name="old")
        get_hot_name(group.pk)
        rename(group, "new")
        store.quicker.append(lambda: get_hot_name(group.pk))

        rewriter.rewrite([f"group:{group.pk}"])

        assert kept(get_hot_name.call(group.pk)) == "new"
        assert counts(get_hot_name)["computations"] == 2  # the old name and the reader's
        assert counts(get_hot_name)["spared"] == 1
        assert leases(get_hot_name.call(group.pk)) == [None]


@pytest.mark.django_db(transaction=True)
def test_what_changes_again_before_the_worker_has_its_lease_is_rewritten_by_the_next() -> None:
    store = Overtaken()
    with serving(store):
        group = Group.objects.create(name="old")
        get_hot_name(group.pk)
        rename(group, "second")
        store.quicker.append(lambda: rename(group, "third"))

        rewriter.rewrite([f"group:{group.pk}"])
        assert kept(get_hot_name.call(group.pk)) is None

        engine().servers.place("any").drop([engine().keys.rewritten(f"group:{group.pk}")])
        rewriter.rewrite([f"group:{group.pk}"])
        assert kept(get_hot_name.call(group.pk)) == "third"
