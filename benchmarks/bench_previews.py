"""What a preview costs: over the broker, in this process, and how much of it is the message.

    python -m benchmarks.bench_previews [--rounds 10] [--calls 10] [--megapixels 12] [--json]

One image worker with one child answers on each broker. Its question is asked as the site asks it;
the same work is done in this process; a question that does nothing but return as many bytes shows
what the layer costs; and a process that does LPUSH for each BLPOP is what no list on Valkey beats.
The ways take turns.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import redis
from PIL import Image

from benchmarks.carriers.ground import Ground, ground, use_broker
from benchmarks.interleaved import percentile
from benchmarks.tables import Report, Target, options
from devstack.programs import Worker

FLOOR = "LPUSH and BLPOP, another process"
HERE = "the same work in this process"
EDITS = {"turns": 1, "brightness": 20, "saturation": -10}
PATIENCE = 60.0
# Answers each list of BLPOP with an LPUSH of so many bytes, until it is told to stop.
ECHO = """
import sys, redis
client = redis.Redis.from_url(sys.argv[1], socket_timeout=None)
while (asked := client.blpop(["bench-asked"])[1]) != b"stop":
    client.lpush("bench-answered", b"x" * int(asked))
"""
Way = Callable[[], object]


def draw(megapixels: int) -> bytes:
    """A photograph's worth of detail, as a camera's JPEG."""
    height = round((megapixels * 1_000_000 / 1.5) ** 0.5)
    noise = Image.effect_noise((height // 4, height // 6), 60).resize((height * 3 // 2, height))
    file = io.BytesIO()
    noise.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def make_photo(content: bytes) -> str:
    """Upload it as its owner does; the id of the photo."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.photos import services

    owner = User.objects.create(
        username="bench", email="bench@example.org", confirmed_at=timezone.now()
    )
    original = SimpleUploadedFile("bench.jpg", content, "image/jpeg")
    return str(services.upload_photo(owner=owner, original=original).pk)


@contextmanager
def answering(found: Ground, broker: str) -> Iterator[None]:
    """One image worker with one child on that broker."""
    worker = Worker(
        name=f"previews-{broker.lower()}",
        queues="previews",
        pool="prefork",
        concurrency=1,
        log=found.folder / f"worker-{broker}.log",
        variables={**os.environ, "BROKER_URL": found.url(broker)},
        options=("--include", "benchmarks.carriers.answers"),
    )
    worker.start(seconds=90)
    try:
        yield
    finally:
        worker.stop()


@contextmanager
def echoing(url: str) -> Iterator[redis.Redis]:
    """The process of the floor, and a client to ask it with."""
    with redis.Redis.from_url(url, socket_timeout=None) as client:
        process = subprocess.Popen([sys.executable, "-c", ECHO, url])
        try:
            yield client
        finally:
            client.lpush("bench-asked", "stop")
            process.wait(10)


def raw(client: redis.Redis, size: int) -> object:
    client.lpush("bench-asked", size)
    return client.blpop(["bench-answered"], timeout=10)


def ways(found: Ground, photo: str, client: redis.Redis) -> dict[str, tuple[str, Way]]:
    """Each way by its title, with the broker that it needs ("" for none)."""
    from apps.photos import tasks
    from benchmarks.carriers import answers

    size = len(tasks.preview(photo_id=photo, edits=EDITS))
    told: dict[str, tuple[str, Way]] = {
        FLOOR: ("", partial(raw, client, size)),
        HERE: ("", partial(tasks.preview, photo_id=photo, edits=EDITS)),
    }
    for name in found.brokers:
        asking = tasks.preview.with_options(timeout=PATIENCE)
        empty = answers.nothing.with_options(timeout=PATIENCE)
        told[f"a question without work, {name}"] = (name, partial(empty.ask, size=size))
        told[f"**a preview, {name}**"] = (name, partial(asking.ask, photo_id=photo, edits=EDITS))
    return told


def measure(
    told: dict[str, tuple[str, Way]], found: Ground, *, rounds: int, calls: int
) -> dict[str, list[float]]:
    """The seconds of each call; a round goes through all ways, in turns from either end."""
    from apps.messaging.replies import mailbox

    seconds: dict[str, list[float]] = {title: [] for title in told}
    for number in range(rounds):
        for title in list(told)[:: -1 if number % 2 else 1]:
            broker, way = told[title]
            if broker:
                mailbox.close()
                use_broker(found.url(broker))
            way()  # a line, a mailbox: what a web process has had since its first question
            for _ in range(calls):
                began = time.perf_counter()
                way()
                seconds[title].append(time.perf_counter() - began)
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    mailbox.close()
    return seconds


def report_of(seconds: dict[str, list[float]]) -> Report:
    half = {title: percentile(taken, 0.5) * 1000 for title, taken in seconds.items()}
    report = Report()
    report.tables["From the question to the bytes"] = [
        {
            "way": title,
            "p50, ms": f"{half[title]:.2f}",
            "p99, ms": f"{percentile(taken, 0.99) * 1000:.2f}",
            "to the work here": f"{half[title] / half[HERE]:.2f}",
            "to the floor": f"{half[title] / half[FLOOR]:.0f}",
        }
        for title, taken in seconds.items()
    ]
    for title in seconds:
        if title.startswith("**a preview"):
            what, measured = f"{title.strip('*')}, to {HERE}", half[title] / half[HERE]
            report.targets.append(Target(what=what, wanted=1.25, measured=measured))
    return report


def main() -> None:
    chosen = options(__doc__, rounds=10, calls=10, megapixels=12)
    with tempfile.TemporaryDirectory(prefix="safelight-bench-media-") as media:
        os.environ["MEDIA_ROOT"] = str(Path(media))
        with ground(durable=False) as found, ExitStack() as stack:
            photo = make_photo(draw(chosen.megapixels))
            for broker in found.brokers:
                stack.enter_context(answering(found, broker))
            client = stack.enter_context(echoing(found.url("Valkey")))
            told = ways(found, photo, client)
            seconds = measure(told, found, rounds=chosen.rounds, calls=chosen.calls)
    report_of(seconds).show(as_json=chosen.json)


if __name__ == "__main__":
    main()
