"""The races of docs/caching.md with servers that go and come back, and commands that come late."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group

from apps.caching.engine import engine
from apps.caching.lookup import Found, judge, place
from apps.caching.node import Node
from apps.caching.stores import Item, StoreAway, open_store
from devstack.servers import Memcached, Valkey
from tests.support.caching import trace
from tests.support.races import PATIENCE, Wire, get_name, greet, held, write
from tests.support.wait import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def group(server: Valkey | Memcached) -> Group:
    return Group.objects.create(name="old")


def stored_and_changed_while(
    group: Group, away: Callable[[], None], back: Callable[[], object]
) -> Node:
    """Fill the cache, write while the server is away, bring it back; return its node."""
    get_name(group.pk)
    node = engine().servers.nodes[0]
    away()
    write(group, "new")
    assert get_name(group.pk) == "new"
    back()
    return node


@pytest.mark.parametrize(("away", "back"), [("freeze", "thaw"), ("kill", "start")])
def test_f_a_server_that_missed_an_invalidation_is_not_believed(
    group: Group, server: Valkey | Memcached, away: str, back: str
) -> None:
    # This Valkey comes back with all that it held; what was sent to it while dead never arrived.
    node = stored_and_changed_while(group, getattr(server, away), getattr(server, back))

    assert get_name(group.pk) == "new"
    wait_until(lambda: not node.owes, seconds=PATIENCE)
    assert get_name(group.pk) == "new"


def test_f_nor_is_it_by_another_process_once_it_has_been_told(
    group: Group, server: Valkey | Memcached
) -> None:
    node = stored_and_changed_while(group, server.kill, server.start)
    wait_until(lambda: not node.owes, seconds=PATIENCE)
    where = place(get_name.call(group.pk), engine())

    raw, *versions = node.store.get([where.key, *where.tags])

    assert judge(get_name.call(group.pk), raw, tuple(versions)).found is not Found.HIT


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_f_without_the_cache_the_site_is_slower_and_right(
    group: Group, server: Valkey | Memcached, how: str
) -> None:
    assert get_name(group.pk) == "old"
    getattr(server, how)()

    for number in range(5):
        write(group, f"name {number}")
        assert get_name(group.pk) == f"name {number}"
        assert get_name.many([(group.pk,), (group.pk + 1,)]) == [f"name {number}", None]
    server.thaw()


def test_f_a_cache_that_is_back_is_used_again(group: Group, server: Valkey | Memcached) -> None:
    node = stored_and_changed_while(group, server.kill, server.start)

    wait_until(lambda: not node.owes, seconds=PATIENCE)
    get_name(group.pk)

    with trace() as seen:
        assert get_name(group.pk) == "new"
    assert seen.queries == []


@pytest.mark.memcached
def test_f_one_of_two_servers_that_missed_a_change_is_not_believed(
    two_servers: tuple[Valkey, Memcached],
) -> None:
    valkey, _ = two_servers
    groups = [Group.objects.create(name=f"old {number}") for number in range(12)]
    for group in groups:
        get_name(group.pk)
    assert len({place(get_name.call(g.pk), engine()).node.name for g in groups}) == 2

    valkey.freeze()
    for group in groups:
        write(group, f"new {group.pk}")
    valkey.thaw()

    wanted = [f"new {group.pk}" for group in groups]
    assert get_name.many([(group.pk,) for group in groups]) == wanted
    wait_until(lambda: not any(node.owes for node in engine().servers.nodes), seconds=PATIENCE)
    assert get_name.many([(group.pk,) for group in groups]) == wanted
    assert [get_name(group.pk) for group in groups] == wanted


@pytest.mark.memcached
@pytest.mark.parametrize("slow", [0, 1])
def test_i_an_entry_is_not_built_from_one_of_a_server_that_was_not_told_yet(
    two_servers: tuple[Valkey, Memcached], slow: int
) -> None:
    nodes = engine().servers.nodes
    groups = [Group.objects.create(name=f"old {number}") for number in range(12)]
    for group in groups:
        assert greet(group.pk) == f"Hello {group.name}"
        get_name(group.pk)
    tags = [engine().keys.tag(f"group:{group.pk}") for group in groups]

    # Another process writes, and has told one server when a reader asks.
    for group in groups:
        Group.objects.filter(pk=group.pk).update(name=f"new {group.pk}")
    nodes[1 - slow].bump(tags, everything=engine().keys.epoch)
    for group in groups:
        greet(group.pk)
    nodes[slow].bump(tags, everything=engine().keys.epoch)

    assert [greet(group.pk) for group in groups] == [f"Hello new {g.pk}" for g in groups]


@pytest.fixture
def wire(server: Valkey | Memcached) -> Iterator[Wire]:
    wire = Wire(server.port)
    yield wire
    wire.close()


def address(server: Valkey | Memcached, port: int) -> str:
    return f"{'redis' if isinstance(server, Valkey) else 'memcached'}://127.0.0.1:{port}"


def send_late(server: Valkey | Memcached, wire: Wire, items: list[Item]) -> None:
    """Send a command that is given up, and is under way still."""
    store = open_store(address(server, wire.port), timeout=0.5)
    store.drop(["-"])  # connected
    wire.hold()
    with pytest.raises(StoreAway):
        store.put(items)
    store.close()
    wait_until(lambda: wire.holds == 1)


def test_j_a_value_that_arrives_after_its_time_out_is_not_believed(
    group: Group, server: Valkey | Memcached, wire: Wire
) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    [old] = where.node.store.get([where.key])
    assert old is not None
    send_late(server, wire, [Item(where.key, old, 60)])
    write(group, "new")
    assert get_name(group.pk) == "new"

    wire.release()
    wait_until(lambda: where.node.store.get([where.key]) == [old])

    assert get_name(group.pk) == "new"


def test_j_a_version_that_arrives_after_its_time_out_revives_nothing(
    group: Group, server: Valkey | Memcached, wire: Wire
) -> None:
    get_name(group.pk)
    where = place(get_name.call(group.pk), engine())
    tag = where.tags[-1]
    late = where.node._version(tag)
    send_late(server, wire, [late])
    write(group, "new")
    with held(lambda: get_name(group.pk)):
        # Between the look-up of a reader and its store.
        wire.release()
        wait_until(lambda: where.node.store.get([tag]) == [late.value])
        write(group, "newer")

    assert get_name(group.pk) == "newer"


@pytest.mark.parametrize("verb", ["put", "add", "drop"])
def test_j_a_write_is_sent_once(server: Valkey | Memcached, wire: Wire, verb: str) -> None:
    """A client that sends it again would carry it out twice, the second time after a newer one."""
    store = open_store(address(server, wire.port), timeout=0.5)
    store.drop(["-"])  # connected
    wire.hold()
    argument = ["a"] if verb == "drop" else [Item("a", b"late", 60)]
    with pytest.raises(StoreAway):
        getattr(store, verb)(argument)

    assert wire.holds == 1
    store.close()
