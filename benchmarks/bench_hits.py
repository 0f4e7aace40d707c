"""The price of a hit: one entry, and a page of fifty, against the bare clients on the same bytes.

    python -m benchmarks.bench_hits [--rounds 30] [--calls 300] [--json]

Starts its own Valkey, and Memcached where the machine has it. Rows are decoded to typed objects.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import django
import redis
from django.utils.safestring import SafeString

from benchmarks.caching_data import FRAGMENTS, Row, make_fragment, make_rows
from benchmarks.interleaved import Ratio, measure
from devstack.servers import Memcached, Valkey

HOUR = timedelta(hours=1)
Contenders = dict[str, Callable[[], object]]


def connect(url: str) -> None:
    """Let the layer of this process use this server alone."""
    from django.conf import settings

    settings.CACHING = {
        "SERVERS": [url],
        "PREFIX": "bench",
        "REPORT_SECONDS": 0,
        "SOCKET_TIMEOUT": 5.0,
    }


def ours() -> tuple[Contenders, Callable[[], object]]:
    """Return our hits with no, one and three tags, and our page of fifty with 51 tags."""
    from apps import caching

    def rows(number: int) -> list[Row]:  # noqa: ARG001 - an argument to make a key of
        return make_rows()

    def fragment(number: int) -> SafeString:
        return make_fragment(number)

    tags = ["owner:{number}", "stream", "people"]
    hits: Contenders = {}
    for count in (0, 1, 3):
        rows.__qualname__ = f"rows_with_{count}_tags"
        kept = caching.cached(timeout=HOUR, tags=tags[:count])(rows)
        hits[f"ours, {count} tags"] = lambda kept=kept: kept(7)
    cards = caching.cached(timeout=HOUR, tags=["card:{number}", "stream"])(fragment)
    wanted = [(number,) for number in range(FRAGMENTS)]
    return hits, lambda: cards.many(wanted)


def raw_entries() -> tuple[bytes, dict[str, bytes]]:
    """Return bytes of the size of our entries: rows, and fifty fragments."""
    import msgspec

    fragments = {f"raw:{number}": make_fragment(number).encode() for number in range(FRAGMENTS)}
    return msgspec.msgpack.encode(make_rows()), fragments


def floors_of(server: Valkey | Memcached) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return a bare get of the rows and a bare multi-get of the fragments."""
    rows, fragments = raw_entries()
    keys = list(fragments)
    if isinstance(server, Valkey):
        client = redis.Redis.from_url(server.url())
        client.set("raw:rows", rows)
        client.mset(fragments)
        return lambda: client.get("raw:rows"), lambda: client.mget(keys)
    from pymemcache.client.base import Client

    bare = Client(("127.0.0.1", server.port), no_delay=True)
    bare.set("raw:rows", rows)
    bare.set_many(fragments)
    return lambda: bare.get("raw:rows"), lambda: bare.get_many(keys)


@contextmanager
def servers() -> Iterator[dict[str, Valkey | Memcached]]:
    """Start a Valkey, and a Memcached if there is one; say so if not."""
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        folder = Path(name)
        found: dict[str, Valkey | Memcached] = {
            "valkey": Valkey(folder=folder / "valkey", log=folder / "valkey.log")
        }
        if shutil.which("memcached"):
            found["memcached"] = Memcached(log=folder / "memcached.log")
        else:
            print("memcached is not installed: it is left out")
        try:
            for server in found.values():
                server.start(seconds=30)
            yield found
        finally:
            for server in found.values():
                server.kill()


def run(server: Valkey | Memcached, options: argparse.Namespace) -> dict[str, dict[str, Ratio]]:
    """Measure both scenarios on one server."""
    connect(server.url() if isinstance(server, Valkey) else server.url)
    get, get_many = floors_of(server)
    hits, page = ours()
    many = max(1, options.calls // 10)
    return {
        "one": measure(
            {"bare get": get, **hits}, floor="bare get", rounds=options.rounds, calls=options.calls
        ),
        "fifty": measure(
            {"bare multi-get": get_many, "ours, 51 tags": page},
            floor="bare multi-get",
            rounds=options.rounds,
            calls=many,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=300, help="of each contender in each round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    with servers() as found:
        results = {name: run(server, options) for name, server in found.items()}
    if options.json:
        print(json.dumps(results, default=asdict))
        return
    for name, scenarios in results.items():
        for scenario, ratios in scenarios.items():
            print(f"\n{name}, {scenario}:")
            for contender, ratio in ratios.items():
                print(f"  {contender:16} {ratio}  {ratio.microseconds:7.1f} us")


if __name__ == "__main__":
    main()
