"""Pages with the cache, against the same site without: speed, round trips, queries, tail.

    python -m benchmarks.bench_pages [--rounds 5] [--seconds 2] [--visitors 8] [--json]

Two web processes of one site, one with the cache and one that finds none, take turns under the same
visitors. Then the tail: p99 of the cached pages while what they show is changed, and while their
entries are thrown away as if they had expired. Starts its own servers and leaves nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.running_site import NO_CACHE, RunningSite, running_site
from tests.support.load import Load, Summary, summarise

CHANGES_PER_SECOND = 5


def visit(port: int, paths: list[str], options: argparse.Namespace, cookie: str = "") -> Summary:
    """Send the visitors for some seconds. Raises SystemExit if a page failed."""
    load = Load(port, paths, visitors=options.visitors, cookie=cookie)
    with load.running():
        threading.Event().wait(options.seconds)
    summary = summarise(load.answers, seconds=options.seconds)
    if summary.failures or not summary.pages:
        raise SystemExit(f"{summary.failures} of {summary.pages} pages failed: no measurement")
    return summary


def compare(site: RunningSite, options: argparse.Namespace) -> list[dict[str, object]]:
    """Measure each page for each visitor, with and without the cache in turns."""
    rows = []
    with site.web() as cached, site.web(cache_url=NO_CACHE) as bare:
        for who, cookie in (("anonymous", ""), ("signed in", site.cookie())):
            for page, path in site.pages().items():
                speeds: dict[str, list[float]] = {"cached": [], "bare": []}
                for number in range(options.rounds + 1):
                    for name, web in (("cached", cached), ("bare", bare))[:: 1 - 2 * (number % 2)]:
                        summary = visit(web.port, [path], options, cookie)
                        if number:  # the first round warms both up
                            speeds[name].append(summary.per_second)
                trips, queries = count_work(path, signed_in=bool(cookie))
                rows.append(
                    {
                        "page": page,
                        "visitor": who,
                        "trips": trips,
                        "queries": queries,
                        "cached_per_second": round(statistics.median(speeds["cached"])),
                        "bare_per_second": round(statistics.median(speeds["bare"])),
                        "ratio": round(_ratio(speeds["cached"], speeds["bare"]), 2),
                    }
                )
    return rows


def _ratio(cached: list[float], bare: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(cached, bare, strict=True))


def count_work(path: str, *, signed_in: bool) -> tuple[int, int]:
    """Return round trips to the cache and queries of a warm page."""
    from django.test import Client

    from apps.accounts.models import User
    from tests.support.caching import trace

    client = Client(HTTP_HOST="localhost")
    if signed_in:
        client.force_login(User.objects.get(username="ben"))
    client.get(path)
    with trace() as seen:
        client.get(path)
    return len(seen.trips), len(seen.queries)


@contextmanager
def repeating(action: Callable[[], None]) -> Iterator[None]:
    """Do this some times a second until the block ends."""
    stop = threading.Event()

    def run() -> None:
        from django.db import connections

        while not stop.wait(1 / CHANGES_PER_SECOND):
            action()
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tails(site: RunningSite, options: argparse.Namespace) -> list[dict[str, object]]:
    """Measure p50 and p99 of all three pages, quiet, under changes and under expiry."""
    from apps import caching
    from apps.photos import services

    paths = list(site.pages().values())

    def change() -> None:
        photo = site.photo()
        services.edit_photo(
            photo=photo, title=photo.title, description=photo.description, alt=photo.alt
        )

    def expire() -> None:
        # What an expiry does to readers: everything of these pages is cold at once.
        caching.invalidate("stream", "popular", "people", f"photo:{site.photo().pk}")

    def nothing() -> None:
        pass

    kinds = {"quiet": nothing, "changed": change, "expired": expire}
    seen: dict[str, list[Summary]] = {kind: [] for kind in kinds}
    with site.web() as web:
        for _ in range(options.rounds):
            for kind, action in kinds.items():
                with repeating(action):
                    seen[kind].append(visit(web.port, paths, options))
    return [
        {
            "while": kind,
            "median_ms": round(statistics.median(one.median_ms for one in summaries), 2),
            "p99_ms": round(statistics.median(one.p99_ms for one in summaries), 2),
            "worst_ms": round(max(one.worst_ms for one in summaries), 1),
        }
        for kind, summaries in seen.items()
    ]


def report(pages: list[dict[str, object]], tail: list[dict[str, object]]) -> None:
    """Print two Markdown tables."""
    for rows in (pages, tail):
        print("\n| " + " | ".join(rows[0]) + " |")
        print("|" + "---|" * len(rows[0]))
        for row in rows:
            print("| " + " | ".join(str(value) for value in row.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with running_site() as site:
        pages, tail = compare(site, options), tails(site, options)
    if options.json:
        print(json.dumps({"pages": pages, "tail": tail}))
    else:
        report(pages, tail)


if __name__ == "__main__":
    main()
