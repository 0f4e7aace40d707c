"""Compare the pools of a mail worker: threads and gevent.

    python -m benchmarks.bench_mail_pool [--letters 320] [--rounds 3] [--concurrency 16]

Real letters, a real worker, and an SMTP server that takes 200 ms for each letter, as one across
the internet does. The two pools take turns in one run, so that both meet the same machine; what
counts is the ratio, not the seconds. Starts its own PostgreSQL and Valkey and leaves nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from devstack.processes import answers, free_port
from devstack.programs import Worker
from devstack.servers import Postgres, Valkey

SECONDS_PER_LETTER = 0.2
POOLS = ("threads", "gevent")


class Measured(msgspec.Struct):
    """One round of one pool."""

    seconds: float
    cpu_seconds: float
    megabytes: float


async def serve(port: int) -> None:
    """An SMTP server that takes every letter, slowly, any number at a time."""
    from aiosmtpd.smtp import SMTP

    class Slow:
        async def handle_DATA(self, server, session, envelope):  # noqa: ARG002, N802
            await asyncio.sleep(SECONDS_PER_LETTER)
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Slow(), loop=loop), "127.0.0.1", port)
    await server.serve_forever()


def run_round(pool: str, *, letters: int, concurrency: int, folder: Path) -> Measured:
    """Start a worker, give it letters, and measure until the last one is sent."""
    from django.db import transaction

    from apps.mail.models import Letter
    from apps.messaging import Job
    from tests.support.mail import post_letter

    Letter.objects.all().delete()
    Job.objects.all().delete()
    worker = Worker(
        name=pool,
        queues="mail",
        pool=pool,
        concurrency=concurrency,
        log=folder / f"{pool}.log",
        variables=os.environ,
    ).start(seconds=60)
    process = psutil.Process(worker.pid)
    before = process.cpu_times()
    with transaction.atomic():
        for number in range(letters):
            post_letter(to=f"person{number}@example.test")
    began = time.monotonic()
    while Letter.objects.filter(state="sent").count() < letters:
        time.sleep(0.05)
        assert time.monotonic() - began < 600, worker.log.read_text()[-2000:]
    seconds = time.monotonic() - began
    after = process.cpu_times()
    megabytes = process.memory_info().rss / 2**20
    worker.kill()
    cpu_seconds = after.user + after.system - before.user - before.system
    return Measured(seconds=seconds, cpu_seconds=cpu_seconds, megabytes=megabytes)


def report(results: dict[str, list[Measured]], *, letters: int, concurrency: int) -> None:
    """Print the medians, the floor and the ratio."""
    floor = letters * SECONDS_PER_LETTER / concurrency
    print(f"\n{letters} letters of {SECONDS_PER_LETTER * 1000:.0f} ms, concurrency {concurrency}")
    print(f"{'pool':8} {'seconds':>8} {'x floor':>8} {'CPU ms a letter':>16} {'MB':>6}")
    for pool, rounds in results.items():
        seconds = statistics.median(measured.seconds for measured in rounds)
        cpu = statistics.median(measured.cpu_seconds for measured in rounds) / letters * 1000
        memory = statistics.median(measured.megabytes for measured in rounds)
        print(f"{pool:8} {seconds:8.2f} {seconds / floor:8.2f} {cpu:16.1f} {memory:6.0f}")
    threads, gevent = (
        statistics.median(measured.seconds for measured in results[pool]) for pool in POOLS
    )
    print(f"threads take {threads / gevent:.2f} x the time of gevent (floor {floor:.2f} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--letters", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    with tempfile.TemporaryDirectory(prefix="safelight-bench-") as name:
        folder = Path(name)
        postgres = Postgres(folder=folder / "postgres", log=folder / "postgres.log", durable=False)
        valkey = Valkey(folder=folder / "valkey", log=folder / "valkey.log", keep=True)
        port = free_port()
        smtp = subprocess.Popen([sys.executable, "-m", __spec__.name, "--serve", str(port)])
        try:
            postgres.start()
            valkey.start()
            while not answers(port, answer=b"220"):
                time.sleep(0.05)
            os.environ.update(
                DATABASE_URL=postgres.url,
                BROKER_URL=valkey.url(1),
                EMAIL_URL=f"smtp://127.0.0.1:{port}",
                ENV_FILES="",
                DJANGO_SETTINGS_MODULE="project.settings",
                LOG_LEVEL="WARNING",
            )
            compare(options, folder)
        finally:
            smtp.kill()
            valkey.kill()
            postgres.kill()


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Let the pools take turns, and report."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    results: dict[str, list[Measured]] = {pool: [] for pool in POOLS}
    for number in range(options.rounds):
        for pool in POOLS if number % 2 == 0 else reversed(POOLS):
            measured = run_round(
                pool, letters=options.letters, concurrency=options.concurrency, folder=folder
            )
            results[pool].append(measured)
            print(f"round {number + 1} {pool}: {measured.seconds:.2f} s", flush=True)
    report(results, letters=options.letters, concurrency=options.concurrency)


if __name__ == "__main__":
    main()
