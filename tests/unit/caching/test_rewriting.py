"""After a change, a worker rewrites what is in use: what is asked, and what is done about it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import translation
from pytest_django import Settings

from apps import caching
from apps.caching import rewriter, rewriting
from apps.caching.engine import engine
from apps.messaging import bell, broker
from tests.support.caching import Flaky, serving, trace
from tests.support.races import PATIENCE, in_thread
from tests.support.renewal import counts, leases, take_lease
from tests.support.rewriting import ends_ms, get_hot_name, kept, list_hot_names, rename
from tests.support.wait import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
meanwhile: list[Callable[[], object]] = []


@caching.cached(
    timeout=timedelta(minutes=1), tags=["greeting"], refresh=caching.REWRITE, by_language=True
)
def greet() -> str:
    return f"{translation.get_language()} {Group.objects.count()}"


@caching.cached(timeout=timedelta(minutes=1), tags=["group:{pk}"], refresh=caching.REWRITE)
def get_name_and_more(pk: int) -> str:
    """Read the name; then whatever a test lets happen in the middle."""
    name = Group.objects.get(pk=pk).name
    if meanwhile:
        meanwhile.pop()()
    return name


@pytest.fixture
def group() -> Group:
    """Return a group whose name is in the cache."""
    group = Group.objects.create(name="old")
    assert get_hot_name(group.pk) == "old"
    return group


@pytest.fixture
def queue(settings: Settings) -> Iterator[str]:
    """A queue of this test, in which nobody takes the messages out."""
    name = f"rewrite-{secrets.token_hex(6)}"
    settings.CACHING = {**settings.CACHING, "REWRITE_QUEUE": name}
    broker.hang_up()
    broker.breaker.reset()
    yield name
    broker.hang_up()
    broker.breaker.reset()


def tag(group: Group) -> str:
    return f"group:{group.pk}"


def test_what_is_in_use_is_rewritten(group: Group) -> None:
    rename(group, "new")
    assert kept(get_hot_name.call(group.pk)) is None

    assert rewriter.rewrite([tag(group)]) == []

    assert kept(get_hot_name.call(group.pk)) == "new"
    assert counts(get_hot_name)["rewritten"] == 1
    assert leases(get_hot_name.call(group.pk)) == [None]


def test_what_nobody_has_computed_is_not() -> None:
    group = Group.objects.create(name="unread")

    rewriter.rewrite([tag(group)])

    assert kept(get_hot_name.call(group.pk)) is None


def test_what_is_new_already_is_left_alone(group: Group) -> None:
    with trace() as seen:
        rewriter.rewrite([tag(group)])

    assert seen.queries == []


def test_a_rewritten_entry_lives_no_longer_than_the_one_before() -> None:
    with serving(Flaky()), time_machine.travel(1_800_000_000, tick=False) as clock:
        group = Group.objects.create(name="old")
        get_hot_name(group.pk)
        end = ends_ms(get_hot_name.call(group.pk))
        rename(group, "new")
        clock.shift(30)

        rewriter.rewrite([tag(group)])

        assert kept(get_hot_name.call(group.pk)) == "new"
        assert end - 1 <= ends_ms(get_hot_name.call(group.pk)) <= end + 1


def test_what_has_ended_is_not_brought_back() -> None:
    with serving(Flaky()), time_machine.travel(1_800_000_000, tick=False) as clock:
        group = Group.objects.create(name="old")
        get_hot_name(group.pk)
        rename(group, "new")
        clock.shift(61)

        rewriter.rewrite([tag(group)])

        assert kept(get_hot_name.call(group.pk)) is None


def test_each_language_that_is_read_is_rewritten(settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]
    for language in ("en", "de"):
        with translation.override(language):
            greet()
    Group.objects.create(name="one")
    caching.invalidate("greeting")

    rewriter.rewrite(["greeting"])

    for language in ("en", "de"):
        with translation.override(language):
            assert kept(greet.call()) == f"{language} 1"
    with translation.override("fr"):
        assert kept(greet.call()) is None


def test_a_tag_that_changes_again_has_its_turn_later(group: Group) -> None:
    rename(group, "second")
    rewriter.rewrite([tag(group)])
    rename(group, "third")

    assert rewriter.rewrite([tag(group)]) == [tag(group)]

    assert kept(get_hot_name.call(group.pk)) is None
    assert get_hot_name(group.pk) == "third"


def test_a_tag_that_only_looks_like_ours_is_ignored() -> None:
    assert rewriter.rewrite(["group:seventeen"]) == []


def test_what_somebody_else_computes_is_left_to_him(group: Group) -> None:
    rename(group, "new")
    take_lease(get_hot_name.call(group.pk))

    with trace() as seen:
        rewriter.rewrite([tag(group)])

    assert seen.queries == []


def test_a_function_that_fails_spoils_nothing(group: Group) -> None:
    list_hot_names()
    gone = tag(group)
    group.delete()
    caching.invalidate(gone, "groups")

    rewriter.rewrite([gone, "groups"])

    assert kept(list_hot_names.call()) == []
    assert counts(get_hot_name)["background_failed"] == 1


def test_a_server_that_is_away_is_no_error() -> None:
    server = Flaky()
    with serving(server):
        server.away = True

        assert rewriter.rewrite(["groups"]) == ["groups"]


def test_a_change_sends_one_message_however_often_it_comes(group: Group, queue: str) -> None:
    for number in range(50):
        rename(group, f"{number}")

    assert bell.depth(queue) == 1


def test_what_changes_after_the_worker_has_begun_sends_another(group: Group, queue: str) -> None:
    rename(group, "second")
    rewriter.rewrite([tag(group)])

    rename(group, "third")

    assert bell.depth(queue) == 2


def test_what_changes_while_the_worker_computes_sends_another(group: Group, queue: str) -> None:
    get_name_and_more(group.pk)
    rename(group, "second")

    meanwhile.append(lambda: in_thread(lambda: rename(group, "third")).result(PATIENCE))
    rewriter.rewrite([tag(group)])

    assert not meanwhile
    wait_until(lambda: bell.depth(queue) == 2, seconds=PATIENCE)


def test_what_is_rolled_back_sends_nothing(group: Group, queue: str) -> None:
    with transaction.atomic():
        caching.changed(group)
        transaction.set_rollback(True)

    assert bell.depth(queue) == 0


def test_what_nobody_rewrites_sends_nothing(queue: str) -> None:
    caching.invalidate("nobody")

    assert bell.depth(queue) == 0


def test_a_change_of_very_much_sends_nothing(queue: str) -> None:
    caching.invalidate(*(f"group:{pk}" for pk in range(rewriting.MOST_TAGS + 1)))

    assert bell.depth(queue) == 0


def test_without_a_queue_nothing_is_asked(group: Group) -> None:
    with trace() as seen:
        rename(group, "new")

    assert not any(key.split(":")[1] == "r" for trip in seen.trips for key in trip.keys)


def test_without_a_broker_a_change_goes_on_and_its_mark_is_taken_down(
    group: Group, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:9/0")  # nobody listens there
    began = time.monotonic()

    rename(group, "new")

    assert time.monotonic() - began < 1, "with Celery's own producers it is six seconds"
    key = engine().keys.asked(tag(group))
    assert engine().servers.place(key).get([key]) == [None]
    assert get_hot_name(group.pk) == "new"


def test_while_the_broker_is_away_no_mark_is_put_up(
    group: Group, queue: str, settings: Settings
) -> None:
    settings.MESSAGING = {**getattr(settings, "MESSAGING", {}), "BREAKER_SECONDS": 60.0}
    broker.breaker.trip()

    with trace() as seen:
        rename(group, "new")
    assert not any(key.split(":")[1] == "r" for trip in seen.trips for key in trip.keys)
    broker.breaker.reset()
    assert bell.depth(queue) == 0

    rename(group, "newer")
    assert bell.depth(queue) == 1
