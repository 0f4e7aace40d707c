"""The price of a hit: one entry, and a page of fifty, against the bare clients and the peers.

    python -m benchmarks.bench_hits [--rounds 15] [--calls 150] [--json]

All on the same data and servers, in one run in which they take turns. Each keeps values as it does
by default (most with pickle); ours are MessagePack, decoded to typed objects. Starts its own
servers.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import redis
from django.utils.safestring import SafeString
from pymemcache.client.base import Client

from benchmarks.cache_servers import CacheServers, cache_servers
from benchmarks.caching_data import FRAGMENTS, Row, make_fragment, make_rows
from benchmarks.interleaved import Contender, Ratio, measure, table
from benchmarks.peers import ours
from benchmarks.peers.kept import Function, Kept, KeptAwaiting, Way
from benchmarks.peers.ways import OF_HITS, runnable, set_up
from benchmarks.tables import Report, Target, options

HOUR = 3600
BARE = {"valkey": "bare redis-py", "memcached": "bare pymemcache"}
# One hit, and fifty, to the bare client; and one to django-redis, which has no tags.
ONE, TO_DJANGO_REDIS = {"valkey": 1.5, "memcached": 1.6}, 1.15
FIFTY = {"valkey": 2.0, "memcached": 3.5}
ROUND_TRIPS = 1
Contenders = dict[str, Contender]


def rows(number: int) -> list[Row]:  # noqa: ARG001 - an argument to make a key of
    """Return twelve typed rows."""
    return make_rows()


def fragment(number: int) -> SafeString:
    """Return a fragment of 4 KB."""
    return make_fragment(number)


def named(function: Callable[..., Any], name: str) -> Function:
    """Return the function under another name, so that its entries are others."""

    @functools.wraps(function)
    def copy(number: int) -> Any:
        return function(number)

    copy.__qualname__ = name
    return copy


def contender(kept: Kept, number: int) -> Contender:
    """Return the call whose time is taken."""
    if not isinstance(kept, KeptAwaiting):
        return functools.partial(kept, number)

    async def later() -> Any:
        return await kept.later(number)

    return later


def bare(server: str, url: str) -> tuple[Contender, Contender, Contender]:
    """Return a bare get of the rows, one of a fragment, and a multi-get of all fragments."""
    entries = {f"raw:{number}": make_fragment(number).encode() for number in range(FRAGMENTS)}
    keys, packed = list(entries), msgspec.msgpack.encode(make_rows())
    if server == "valkey":
        client = redis.Redis.from_url(url)
        client.mset({**entries, "raw:rows": packed})
        return (
            lambda: client.get("raw:rows"),
            lambda: client.get(keys[7]),
            lambda: client.mget(keys),
        )
    host, _, port = url.rpartition("/")[2].partition(":")
    plain = Client((host, int(port)), no_delay=True)
    plain.set_many({**entries, "raw:rows": packed})
    return (
        lambda: plain.get("raw:rows"),
        lambda: plain.get(keys[7]),
        lambda: plain.get_many(keys),
    )


def ours_with(tags: Iterable[int], function: Callable[..., Any], what: str) -> Contenders:
    """Return our hits with so many tags."""
    return {
        f"ours, {count} tags": contender(
            ours.keeping(tags=count)(named(function, f"{what}_with_{count}"), HOUR), 7
        )
        for count in tags
    }


def unknown(contender: Contender) -> object:
    """Make a call as a process does that has not made it lately: its key is put together anew."""
    from apps.caching.functions import forget_known_calls

    forget_known_calls()
    return contender()


def dicts_of_django_redis() -> Contenders:
    """Return django-redis' hit of the same rows as plain dicts, the cheapest it has to unpickle."""
    from django.core.cache import caches

    cache = caches["django-redis"]
    cache.set("dicts", [vars(row) for row in make_rows()])
    return {"django-redis `get`, rows as dicts": lambda: cache.get("dicts")}


def queries() -> Contenders:
    """Return hits of the caches of querysets on the same rows, and the query without a cache."""
    from benchmarks.peers.models import Plain, Watched

    found: Contenders = {}
    for model in (Plain, Watched):
        fields = [vars(row) for row in make_rows()]
        model.objects.bulk_create([model(**each) for each in fields])
    found["the query, no cache"] = lambda: list(Plain.objects.filter(likes__gte=0))
    found["cacheops queryset"] = lambda: list(Plain.objects.filter(likes__gte=0).cache())
    found["cachalot queryset"] = lambda: list(Watched.objects.filter(likes__gte=0))
    return found


def one(ways: Sequence[Way], server: str, floor: Contender, options: argparse.Namespace):
    """Measure one hit of the rows."""
    found: Contenders = {BARE[server]: floor, **ours_with((0, 1, 3), rows, "rows")}
    found["ours, 3 tags, call unknown"] = functools.partial(unknown, found["ours, 3 tags"])
    for way in ways:
        if not way.only_text:
            found[way.name] = contender(way.keep(named(rows, "rows"), HOUR), 7)
    if server == "valkey":
        if any(way.package == "django_redis" for way in ways):
            found |= dicts_of_django_redis()
        if any(way.app for way in ways):
            found |= queries()
    return measure(found, floor=BARE[server], rounds=options.rounds, calls=options.calls)


def text(ways: Sequence[Way], server: str, floor: Contender, options: argparse.Namespace):
    """Measure one hit of a fragment."""
    found: Contenders = {BARE[server]: floor, **ours_with((0, 1, 3), fragment, "fragment")}
    for way in ways:
        found[way.name] = contender(way.keep(named(fragment, "fragment"), HOUR), 7)
    return measure(found, floor=BARE[server], rounds=options.rounds, calls=options.calls)


def fifty(ways: Sequence[Way], server: str, floor: Contender, options: argparse.Namespace):
    """Measure fifty fragments, ours with 51 tags."""
    numbers = list(range(FRAGMENTS))
    cards = ours.keeping(tags=2)(named(fragment, "card"), HOUR)
    found: Contenders = {
        BARE[server]: floor,
        "ours, 51 tags": functools.partial(cards.many, numbers),
    }
    found["ours, 51 tags, calls unknown"] = functools.partial(unknown, found["ours, 51 tags"])
    for way in ways:
        kept = way.keep(named(fragment, "card"), HOUR)
        found[f"{way.name}: {kept.many_by}"] = page(kept, numbers)
    calls = max(1, options.calls // 15)
    return measure(found, floor=BARE[server], rounds=options.rounds, calls=calls)


def page(kept: Kept, numbers: Sequence[int]) -> Contender:
    """Return the call for all of these."""
    if not isinstance(kept, KeptAwaiting):
        return functools.partial(kept.many, numbers)

    async def later() -> list[Any]:
        return [await kept.later(number) for number in numbers]

    return later


def trips_of_a_page() -> int:
    """Count the round trips of our fifty fragments."""
    from apps.caching.events import Trip, listening

    cards = ours.keeping(tags=2)(named(fragment, "card"), HOUR)
    cards.many(range(FRAGMENTS))
    seen: list[object] = []
    with listening(seen.append):
        cards.many(range(FRAGMENTS))
    return sum(isinstance(event, Trip) for event in seen)


def run(servers: CacheServers, options: argparse.Namespace) -> Report:
    """Measure everything on each server."""
    report = Report()
    ways, report.notes = runnable(OF_HITS, servers.kinds)
    set_up([*ways, *queries_of(ways)], servers.urls, BENCH_TIMEOUT="5")
    for server in servers.kinds:
        url = servers.urls[server] + ("/0" if server == "valkey" else "")
        ours.connect(url)
        mine = [way for way in ways if way.server == server]
        get, get_text, get_many = bare(server, url)
        singles = one(mine, server, get, options)
        pages = fifty(mine, server, get_many, options)
        report.tables |= {
            f"One hit of 2 KB of rows, {server}": table(singles),
            f"One hit of 4 KB of HTML, {server}": table(text(mine, server, get_text, options)),
            f"Fifty fragments of 4 KB, {server}": table(pages),
        }
        report.targets += targets(server, singles, pages)
    return report


def queries_of(ways: Sequence[Way]) -> list[Way]:
    """Return the caches of querysets too, where they are installed."""
    from benchmarks.peers import cachalot_ways, cacheops_ways

    return runnable([cacheops_ways.QUERIES, cachalot_ways.QUERIES], ["valkey"])[0] if ways else []


def targets(server: str, singles: dict[str, Ratio], pages: dict[str, Ratio]) -> list[Target]:
    """Compare with what was wanted."""
    worst = max(singles[f"ours, {tags} tags"].median for tags in (1, 3))
    found = [
        Target(what=f"hit with 1-3 tags to {BARE[server]}", wanted=ONE[server], measured=worst),
        Target(
            what=f"50 widgets with 51 tags to a multi-get of {BARE[server]}",
            wanted=FIFTY[server],
            measured=pages["ours, 51 tags"].median,
        ),
        Target(
            what=f"round trips of 50 widgets, {server}",
            wanted=ROUND_TRIPS,
            measured=trips_of_a_page(),
        ),
    ]
    for name in ("django-redis `get`, rows as dicts", "get_or_set, django-redis"):
        if name in singles:
            measured = worst / singles[name].median
            found.append(
                Target(
                    what=f"hit with 1-3 tags to {name}", wanted=TO_DJANGO_REDIS, measured=measured
                )
            )
    return found


def main() -> None:
    chosen = options(__doc__, rounds=15, calls=150)
    with cache_servers() as servers:
        run(servers, chosen).show(as_json=chosen.json)


if __name__ == "__main__":
    main()
