"""What a miss and a change cost: a miss with tags, and an invalidation with its outbox.

    python -m benchmarks.bench_writes [--rounds 15] [--calls 40] [--json]

A miss asks for a number that nobody has asked for, of a function that computes nothing; ours has
three tags, and leases, stamps and stores. A change is one UPDATE in a transaction in which the
library is told; the floor is the transaction alone, on a database that does not wait for its disk.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence

from benchmarks.bench_hits import HOUR, contender, named
from benchmarks.cache_servers import CacheServers, cache_servers
from benchmarks.interleaved import Contender, Ratio, measure, table
from benchmarks.peers import ours
from benchmarks.peers.kept import Kept, KeptAwaiting, Way
from benchmarks.peers.ways import OF_WRITES, runnable, set_up
from benchmarks.tables import Report, options

FLOOR = "get_or_set, django-redis"
BARE_CHANGE = "the UPDATE alone"


def text_of(number: int) -> str:
    """Compute next to nothing."""
    return f"text {number}"


def missing(kept: Kept) -> Contender:
    """Return a call that misses each time."""
    numbers = itertools.count(1000)
    if not isinstance(kept, KeptAwaiting):
        return lambda: kept(next(numbers))

    async def later() -> object:
        return await kept.later(next(numbers))

    return later


def changing(pk: int, *tell: Callable[[int], None]) -> Contender:
    """Return a transaction that changes the row and says so."""
    from django.db import transaction

    from benchmarks.peers.models import Thing

    def change() -> None:
        with transaction.atomic():
            Thing.objects.filter(pk=pk).update(name="new")
            for each in tell:
                each(pk)

    return change


def ours_without_outbox(pk: int) -> Contender:
    """Return a change whose invalidation would be lost with its process."""
    from django.conf import settings

    kept = ours.keeping()(named(text_of, "without_outbox"), HOUR)
    durable = settings.CACHING
    lost = {**durable, "DURABLE": False}
    change = changing(pk, kept.tell)

    def run() -> None:
        settings.CACHING = lost
        try:
            change()
        finally:
            settings.CACHING = durable

    return run


def misses(ways: Sequence[Way], options: argparse.Namespace) -> dict[str, Ratio]:
    """Measure a miss of each."""
    found: dict[str, Contender] = {}
    for way in ways:
        if way.name == "ours":
            for tags in (0, 3):
                kept = ours.keeping(tags=tags)(named(text_of, f"missing_{tags}"), HOUR)
                found[f"ours, {tags} tags"] = missing(kept)
            kept = ours.keeping(tags=3)(named(text_of, "hit"), HOUR)
            found["a hit of ours, 3 tags"] = contender(kept, 7)
        else:
            found[way.name] = missing(way.keep(named(text_of, "missing"), HOUR))
    return measure(found, floor=FLOOR, rounds=options.rounds, calls=options.calls)


def changes(ways: Sequence[Way], options: argparse.Namespace) -> dict[str, Ratio]:
    """Measure a change of each."""
    from benchmarks.peers.models import Thing

    pk = Thing.objects.create(name="old").pk
    found: dict[str, Contender] = {BARE_CHANGE: changing(pk)}
    for way in ways:
        kept = way.keep(named(text_of, "changing"), HOUR)
        kept(pk)
        found[way.name] = changing(pk, kept.tell)
    found["ours, without the outbox"] = ours_without_outbox(pk)
    return measure(found, floor=BARE_CHANGE, rounds=options.rounds, calls=options.calls)


def run(servers: CacheServers, options: argparse.Namespace) -> Report:
    """Measure both, on Valkey and what else there is."""
    ways, notes = runnable(OF_WRITES, servers.kinds)
    report = Report(notes=notes)
    set_up(ways, servers.urls, BENCH_TIMEOUT="5")
    ways = [way for way in ways if way.name != "ours, Memcached"]
    report.tables["A miss"] = table(misses(ways, options))
    report.tables["A change in a transaction"] = table(changes(ways, options))
    return report


def main() -> None:
    chosen = options(__doc__, rounds=15, calls=40)
    with cache_servers() as servers:
        run(servers, chosen).show(as_json=chosen.json)


if __name__ == "__main__":
    main()
