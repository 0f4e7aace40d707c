"""Pages with the cache, against the same site without: speed, round trips, queries, tail.

    python -m benchmarks.bench_pages [--rounds 3] [--seconds 1.2] [--visitors 8] [--json]

Three web processes of one site take turns under the same visitors: one with the cache, one whose
cached functions are plain functions, and one whose cache server does not answer. Then the tail: p99
of the cached pages while what they show is changed, and while their entries are thrown away as if
all had expired at once. Starts its own servers and leaves nothing.
"""

from __future__ import annotations

import argparse
import statistics
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from benchmarks.running_site import NO_CACHE, PLAIN, RunningSite, running_site
from benchmarks.tables import Report, options
from devstack.programs import Web
from tests.support.load import Load, Summary, summarise

CHANGES_PER_SECOND = 5
Row = dict[str, object]


def visit(port: int, paths: list[str], options: argparse.Namespace, cookie: str = "") -> Summary:
    """Send the visitors for some seconds. Raises SystemExit if a page failed."""
    load = Load(port, paths, visitors=options.visitors, cookie=cookie)
    with load.running():
        threading.Event().wait(options.seconds)
    summary = summarise(load.answers, seconds=options.seconds)
    if summary.failures or not summary.pages:
        raise SystemExit(f"{summary.failures} of {summary.pages} pages failed: no measurement")
    return summary


def compare(site: RunningSite, options: argparse.Namespace) -> list[Row]:
    """Measure each page for each visitor, with and without the cache in turns."""
    with ExitStack() as stack:
        webs = {
            "cached": stack.enter_context(site.web()),
            "off": stack.enter_context(site.web(settings=PLAIN)),
            "away": stack.enter_context(site.web(cache_url=NO_CACHE)),
        }
        return [
            {"page": page, "visitor": who, **measure_page(webs, path, cookie, options)}
            for who, cookie in (("anonymous", ""), ("signed in", site.cookie()))
            for page, path in site.pages().items()
        ]


def measure_page(
    webs: Mapping[str, Web], path: str, cookie: str, options: argparse.Namespace
) -> Row:
    """Return one row: pages a second of each web process, and what the page asks for."""
    speeds: dict[str, list[float]] = {name: [] for name in webs}
    for number in range(options.rounds + 1):
        for name in list(webs)[:: 1 - 2 * (number % 2)]:
            summary = visit(webs[name].port, [path], options, cookie)
            if number:  # the first round warms all of them up
                speeds[name].append(summary.per_second)
    trips, queries, cold_queries = count_work(path, signed_in=bool(cookie))
    return {
        "round trips": trips,
        "queries": queries,
        "queries, cold": cold_queries,
        "pages/s": round(statistics.median(speeds["cached"])),
        "pages/s, off": round(statistics.median(speeds["off"])),
        "pages/s, server away": round(statistics.median(speeds["away"])),
        "ratio to off": round(_ratio(speeds["cached"], speeds["off"]), 2),
        "server away to off": round(_ratio(speeds["away"], speeds["off"]), 2),
    }


def _ratio(some: list[float], others: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def count_work(path: str, *, signed_in: bool) -> tuple[int, int, int]:
    """Return round trips to the cache and queries of a warm page, and queries of a cold one."""
    from django.conf import settings
    from django.test import Client

    from apps.accounts.models import User
    from apps.caching.engine import engine
    from tests.support.caching import trace

    client = Client(HTTP_HOST=urlsplit(settings.SITE_URL).netloc)
    if signed_in:
        client.force_login(User.objects.get(username="ben"))
    engine().bump([engine().keys.epoch])
    with trace() as cold:
        client.get(path)
    client.get(path)  # a page learns what tags it has
    with trace() as warm:
        client.get(path)
    return len(warm.trips), len(warm.queries), len(cold.queries)


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


def tails(site: RunningSite, options: argparse.Namespace) -> list[Row]:
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
        photo = site.photo()
        caching.invalidate("stream", "popular", "people", f"photo:{photo.pk}")

    def nothing() -> None:
        pass

    with ExitStack() as stack:
        cached = stack.enter_context(site.web())
        off = stack.enter_context(site.web(settings=PLAIN))
        kinds = {
            "cached, quiet": (cached, nothing),
            f"cached, {CHANGES_PER_SECOND} changes a second": (cached, change),
            f"cached, all expires {CHANGES_PER_SECOND} times a second": (cached, expire),
            "caching off": (off, nothing),
        }
        seen: dict[str, list[Summary]] = {kind: [] for kind in kinds}
        for _ in range(options.rounds):
            for kind, (web, action) in kinds.items():
                with repeating(action):
                    seen[kind].append(visit(web.port, paths, options))
    return [
        {
            "home, person and photo page": kind,
            "pages/s": round(statistics.median(one.per_second for one in summaries)),
            "median, ms": round(statistics.median(one.median_ms for one in summaries), 1),
            "p99, ms": round(statistics.median(one.p99_ms for one in summaries), 1),
            "worst, ms": round(max(one.worst_ms for one in summaries), 1),
        }
        for kind, summaries in seen.items()
    ]


def main() -> None:
    chosen = options(__doc__, rounds=3, seconds=1.2, visitors=8)
    report = Report()
    with running_site() as site:
        report.tables["Pages, in turns"] = compare(site, chosen)
        report.tables["How long visitors wait"] = tails(site, chosen)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
