"""A change of an entry in use, and a real worker that rewrites it: also late, twice, or killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from pytest_django import Settings

from apps.caching import rewriter
from apps.messaging import broker
from devstack.processes import Program
from devstack.servers import Memcached, Valkey
from tests.support.rewriting import get_watched_name, kept, rename
from tests.support.servers import StartWorker
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
StartRewriter = Callable[[], Program]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file without which the function goes on standing; it is there at first."""
    gate = tmp_path / "gate"
    gate.touch()
    monkeypatch.setenv("GATE_FILE", str(gate))
    monkeypatch.setenv("SEEN_FILE", str(tmp_path / "seen"))
    return gate


@pytest.fixture
def group(server: Valkey | Memcached, settings: Settings, gate: Path) -> Group:
    """Return a group whose name is in the cache."""
    settings.CACHING = {**settings.CACHING, "REWRITE_QUEUE": "default", "LEASE_SECONDS": 3}
    broker.breaker.reset()
    group = Group.objects.create(name="old")
    assert get_watched_name(group.pk) == "old"
    return group


@pytest.fixture
def start(worker: StartWorker, settings: Settings, group: Group) -> StartRewriter:
    """Start a worker that knows the tests' functions and uses the server of the test."""
    options = ("--include", "tests.support.rewriting")
    url = ",".join(settings.CACHING["SERVERS"])
    return partial(worker, "default", options=options, CACHE_URL=url)


def computed(gate: Path) -> list[str]:
    """Return what was computed, by others than this process."""
    lines = [line.split() for line in (gate.parent / "seen").read_text().splitlines()]
    return [name for pid, name in lines if int(pid) != os.getpid()]


def test_a_worker_rewrites_what_has_changed_before_anybody_asks(
    group: Group, start: StartRewriter, gate: Path
) -> None:
    start()

    rename(group, "new")

    wait_until(lambda: kept(get_watched_name.call(group.pk)) == "new")
    assert computed(gate) == ["new"]


def test_a_storm_of_changes_is_a_few_rewrites_and_ends_with_the_last(
    group: Group, start: StartRewriter, gate: Path
) -> None:
    start()

    for number in range(100):
        rename(group, f"{number}")
    wait_until(lambda: kept(get_watched_name.call(group.pk)) == "99")

    assert len(computed(gate)) <= 20
    assert computed(gate)[-1] == "99"


def test_a_rewrite_that_a_change_overtakes_is_not_believed(
    group: Group, start: StartRewriter, gate: Path
) -> None:
    start()
    gate.unlink()
    rename(group, "second")
    wait_until(lambda: computed(gate) == ["second"])

    rename(group, "third")
    gate.touch()

    wait_until(lambda: kept(get_watched_name.call(group.pk)) is not None)
    assert kept(get_watched_name.call(group.pk)) == "third"


def test_a_worker_that_is_killed_at_it_costs_its_readers_a_wait(
    group: Group, start: StartRewriter, gate: Path
) -> None:
    killed = start()
    gate.unlink()
    rename(group, "new")
    wait_until(lambda: computed(gate) == ["new"])

    killed.kill()
    gate.touch()

    assert get_watched_name(group.pk) == "new"


def test_of_two_rewriters_one_computes(group: Group, gate: Path) -> None:
    tag = f"group:{group.pk}"
    rename(group, "new")
    before = (gate.parent / "seen").read_text().count("new")
    gate.unlink()

    def run(name: str) -> None:
        # What `rewrite` does when two messages for one entry meet: by tags of different names.
        try:
            rewriter._rewrite(get_watched_name, [tag], None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(run, name) for name in "ab"]
        wait_until(lambda: any(one.done() for one in both))
        gate.touch()
        for one in both:
            one.result(30)

    assert (gate.parent / "seen").read_text().count("new") == before + 1
    assert kept(get_watched_name.call(group.pk)) == "new"
