"""Which ways each benchmark compares, and how a process is set up for some of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

import django

from benchmarks.peers import (
    cachalot_ways,
    cacheops_ways,
    cashews_ways,
    django_ways,
    dogpile_ways,
    ours,
)
from benchmarks.peers.kept import Way

OF_HITS = [
    *django_ways.WAYS,
    cacheops_ways.AS,
    dogpile_ways.REDIS,
    dogpile_ways.MEMCACHED,
    cashews_ways.CACHE,
]
OF_STAMPEDES = [
    *ours.WAYS,
    *ours.WAYS_WITHOUT_WAITS,
    *django_ways.WAYS,
    cacheops_ways.AS,
    cacheops_ways.AS_LOCKED,
    dogpile_ways.REDIS,
    dogpile_ways.REDIS_LOCKED,
    dogpile_ways.MEMCACHED_LOCKED,
    cashews_ways.CACHE,
    cashews_ways.CACHE_LOCKED,
    cashews_ways.EARLY,
]
OF_RACES = [
    *ours.WAYS,
    *django_ways.WAYS,
    cacheops_ways.AS,
    cacheops_ways.AS_FRESH,
    cacheops_ways.QUERIES,
    cachalot_ways.QUERIES,
    dogpile_ways.REDIS,
    dogpile_ways.MEMCACHED,
    cashews_ways.CACHE,
]
OF_OUTAGES = [
    *ours.WAYS,
    *django_ways.WAYS[:3],
    cacheops_ways.AS,
    dogpile_ways.REDIS,
    dogpile_ways.MEMCACHED,
    cashews_ways.CACHE,
]
OF_WRITES = [
    *ours.WAYS,
    *django_ways.WAYS[:3],
    cacheops_ways.AS,
    dogpile_ways.REDIS,
    cashews_ways.CACHE,
]
ALL = {way.name: way for way in [*OF_HITS, *OF_STAMPEDES, *OF_RACES]}


def runnable(ways: Iterable[Way], servers: Sequence[str]) -> tuple[list[Way], list[str]]:
    """Return those that this machine can run, and a sentence for each that it cannot."""
    able, missing = [], []
    for way in ways:
        if way.server not in servers:
            missing.append(f"NOT MEASURED: {way.name}, for {way.server} is not on the PATH.")
        elif way.package and not find_spec(way.package):
            missing.append(f"NOT MEASURED: {way.name}, for {way.package} is not installed.")
        else:
            able.append(way)
    return able, missing


def variables(ways: Iterable[Way], urls: dict[str, str], **more: str) -> dict[str, str]:
    """Return the environment of a process that measures these, on servers at these addresses."""
    ways = list(ways)
    ours_on = urls[ways[0].server] if len(ways) == 1 else urls["valkey"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings",
        # cashews computes in an event loop what asks the database.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
        "BENCH_APPS": " ".join({way.app for way in ways if way.app and find_spec(way.app)}),
        "BENCH_OURS": ours_on,
        **{f"BENCH_{name.upper()}": url for name, url in urls.items()},
        **more,
    }


def set_up(ways: Iterable[Way], urls: dict[str, str], **more: str) -> None:
    """Make this process one that measures these ways; once in its life."""
    os.environ.update(variables(ways, urls, **more))
    django.setup()
