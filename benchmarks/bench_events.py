"""Compare ways to count views: folded events against an UPDATE for each view.

    python -m benchmarks.bench_events [--views 20000] [--rounds 3] [--photos 50]

Four threads count views of the same photos: by one upsert in each view's request, or by `emit`
with the worker's folding in a process beside it. The two take turns in one run, so that both meet
the same machine; what counts is the ratio, not the seconds. Told apart are what a request waits
for, and what the whole takes until every view is in its row. Starts its own PostgreSQL and Valkey
(RabbitMQ with --rabbitmq, where the machine has it) and leaves nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from uuid import UUID

import msgspec

from devstack.servers import Postgres, RabbitMQ, Valkey

THREADS = 4
DAY = date(2026, 6, 1)
FOLD = """
import django
django.setup()
from project.celery import app
app.loader.import_default_modules()
from apps.messaging.batches.consumer import Consumer
Consumer().run()
"""


class Measured(msgspec.Struct):
    """One round of one way."""

    answered: float
    counted: float


def count_at_once(photo_id: UUID) -> None:
    """What the page would do without events."""
    from apps.photos import processing

    processing.count_views({(photo_id, DAY): 1})


def count_by_event(photo_id: UUID) -> None:
    """What the page does."""
    from apps.messaging.batches import sender
    from apps.photos.tasks import PhotoViewed, count_views

    count_views.emit(PhotoViewed(photo_id=photo_id, day=DAY))
    if sender._process.sender()._count > 5_000:
        # Faster than any site is looked at: wait, as a dropped view would be no result.
        sender.flush(seconds=60)


def total() -> int:
    from django.db.models import Sum

    from apps.photos.models import PhotoViews

    return int(PhotoViews.objects.aggregate(sum=Sum("count", default=0))["sum"])


def run_round(count: Callable[[UUID], None], photos: list[UUID], views: int) -> Measured:
    """Count so many views in four threads; how long until answered, and until in the rows."""
    from django.db import connection

    before, share = total(), views // THREADS

    def work(offset: int) -> None:
        for photo_id in islice(cycle(photos[offset:] + photos[:offset]), share):
            count(photo_id)
        connection.close()

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(THREADS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = time.monotonic() - began
    while (done := total() - before) < share * THREADS:
        assert time.monotonic() - began < 300, f"{done} of {views}"
        time.sleep(0.02)
    assert done == share * THREADS, f"{done} of {views}: not exact"
    return Measured(answered=answered, counted=time.monotonic() - began)


def report(results: dict[str, list[Measured]], views: int) -> None:
    """Print the medians and the ratios."""
    print(f"\n{views} views by {THREADS} threads, medians")
    print(f"{'way':22} {'us a view, answered':>20} {'views/s, counted':>18}")
    medians = {}
    for way, rounds in results.items():
        answered = statistics.median(measured.answered for measured in rounds) / views
        counted = views / statistics.median(measured.counted for measured in rounds)
        medians[way] = answered, counted
        print(f"{way:22} {answered * 1e6:20.1f} {counted:18.0f}")
    plain, events = medians.values()
    print(
        f"a view waits {plain[0] / events[0]:.1f} x as long for its own write as for its event;"
        f" counted are {events[1] / plain[1]:.1f} x as many a second"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--views", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--rabbitmq", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        folder = Path(name)
        postgres = Postgres(folder=folder / "postgres", log=folder / "postgres.log", durable=True)
        valkey = Valkey(folder=folder / "valkey", log=folder / "valkey.log", keep=True)
        rabbitmq = RabbitMQ(folder=folder / "rabbitmq", log=folder / "rabbitmq.log")
        servers = [postgres, valkey, *([rabbitmq] if options.rabbitmq else [])]
        folding: subprocess.Popen[bytes] | None = None
        try:
            for server in servers:
                server.start(seconds=60)
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "project.settings",
                "ENV_FILES": "",
                "DATABASE_URL": postgres.url,
                "BROKER_URL": rabbitmq.url if options.rabbitmq else valkey.url(1),
                "LOG_LEVEL": "WARNING",
            }
            photos = prepare(options.photos)
            folding = subprocess.Popen([sys.executable, "-c", FOLD])
            ways = {"an upsert a view": count_at_once, "events, folded": count_by_event}
            results: dict[str, list[Measured]] = {way: [] for way in ways}
            run_round(count_by_event, photos, 400)  # until both ends have their connections
            for _ in range(options.rounds):
                for way, count in ways.items():
                    results[way].append(run_round(count, photos, options.views))
            report(results, options.views)
        finally:
            if folding is not None:
                folding.kill()
                folding.wait()
            for server in servers:
                server.kill()


def prepare(count: int) -> list[UUID]:
    import django

    django.setup()
    from django.core.management import call_command

    import project.celery  # noqa: F401  the application that knows the broker
    from tests.support.photos import make_photo

    call_command("migrate", verbosity=0)
    return [make_photo().pk for _ in range(count)]


if __name__ == "__main__":
    main()
