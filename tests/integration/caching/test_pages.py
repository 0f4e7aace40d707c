"""Whole pages on real servers: races across a commit, one computation for many, servers away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.http import HttpResponse

from apps import caching
from apps.caching.learning import guesses
from apps.caching.stats import counted as counts
from devstack.servers import Memcached, Valkey
from tests.support.caching import trace
from tests.support.races import PATIENCE, get_name, held, in_thread, write
from tests.support.views import a_request, renderings, shelf, text

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def group(server: Valkey | Memcached) -> Group:
    renderings.clear()
    return Group.objects.create(name="old")


def look(group: Group) -> str:
    return text(shelf(a_request(), pk=group.pk)).split()[0]


@pytest.mark.parametrize("known", [False, True], ids=["unknown tags", "known tags"])
def test_a_page_that_is_computed_across_a_commit_is_not_believed(group: Group, known: bool) -> None:
    if known:
        look(group)
        write(group, "middle")

    with held(lambda: look(group)):
        write(group, "new")

    assert look(group) == "new"
    assert look(group) == "new"


def test_a_page_that_is_computed_again_across_a_commit_is_not_believed(group: Group) -> None:
    """It is computed again where its tags were not known: then with all of them."""
    number, seen = group.pk, []

    @caching.cached_view(timeout=shelf.policy.timeout)
    def page(request):
        seen.append(get_name(number))
        if len(seen) == 2:
            in_thread(lambda: write(group, "new")).result(PATIENCE)
        return HttpResponse(seen[-1])

    assert text(page(a_request())) == "old"

    assert seen == ["old", "old"]
    assert text(page(a_request())) == "new"


def test_a_page_of_an_old_entry_that_is_stored_after_the_commit_is_not_believed(
    group: Group,
) -> None:
    """The entry inside is a hit; what is outdated is only the page that is built from it."""
    look(group)
    get_name(group.pk)
    may_go_on, has_read = threading.Event(), threading.Event()
    number = group.pk

    @caching.cached_view(timeout=shelf.policy.timeout)
    def page(request):
        response = shelf.fresh(request, pk=number)
        if not has_read.is_set():
            has_read.set()
            assert may_go_on.wait(PATIENCE)
        return response

    answer = in_thread(lambda: text(page(a_request())))
    assert has_read.wait(PATIENCE)
    write(group, "new")
    may_go_on.set()
    answer.result(PATIENCE)

    assert text(page(a_request())).startswith("new")


def test_a_reader_in_the_writers_transaction_and_a_rollback_leave_no_page(group: Group) -> None:
    with transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name="never")
        assert look(group) == "never"  # nothing said so far: computed, and not stored
        caching.changed(group)
        assert look(group) == "never"
        transaction.set_rollback(True)

    assert look(group) == "old"


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def look_and_hang_up(group: Group) -> str:
    try:
        return look(group)
    finally:
        connections.close_all()


def test_a_page_is_computed_once_for_a_crowd(group: Group, crowd: ThreadPoolExecutor) -> None:
    look(group)
    write(group, "new")
    renderings.clear()
    together = threading.Barrier(8)

    def visit() -> str:
        together.wait(PATIENCE)
        return look_and_hang_up(group)

    answers = [crowd.submit(visit) for _ in range(8)]

    assert {answer.result(PATIENCE) for answer in answers} == {"new"}
    assert len(renderings) == 1


def test_who_waited_for_another_process_takes_its_page_whatever_its_tags_are(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has learned more tags than this one knew when it began to wait."""
    from apps.caching import answering

    take = answering._take

    def overtaken(*rest):
        # Between our look and our lease another process computes the page and is done.
        monkeypatch.setattr(answering, "_take", take)
        in_thread(lambda: look(group)).result(PATIENCE)
        guesses.forget_all()
        renderings.clear()
        return take(*rest)

    monkeypatch.setattr(answering, "_take", overtaken)
    monkeypatch.setattr(answering, "boarding", _alone)

    assert look(group) == "old"
    assert renderings == []


def _alone(key):
    """As in a process of its own: nobody else is in the air."""
    from apps.caching.flights import boarding

    return boarding((*key, threading.get_ident()))


def test_a_page_stands_while_the_server_is_gone_and_is_never_old_afterwards(
    group: Group, server: Valkey | Memcached
) -> None:
    look(group)
    server.kill()

    assert look(group) == "old"
    write(group, "new")
    assert look(group) == "new"

    server.start()
    assert look(group) == "new"
    assert counts()["tests.support.views.shelf"]["misses_away"] >= 1


def test_a_page_of_two_servers_is_never_older_than_a_commit(
    two_servers: tuple[Valkey, Memcached],
) -> None:
    groups = [Group.objects.create(name=f"old{number}") for number in range(6)]
    for group in groups:
        assert look(group).startswith("old")
        write(group, f"new{group.pk}")

    assert [look(group) for group in groups] == [f"new{group.pk}" for group in groups]


def test_a_warm_page_is_one_round_trip_on_this_server(group: Group) -> None:
    look(group)

    with trace() as seen:
        look(group)

    assert [trip.verb for trip in seen.trips] == ["get"]
