"""One of several processes that ask for the same entries at the same moment.

`python -m tests.support.stampede <file> <kind>`: says "ready" and does what each line says. "go":
asks from eight threads and prints what they were answered; "forget": drops the entries, as their
time would. Each computation writes its number to the file, the moment it begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import django

THREADS = 8
JOB_SECONDS = 0.1
NUMBERS = range(6)


class Asker:
    """Such a process, as a test holds it."""

    module = "tests.support.stampede"

    def __init__(self, file: Path, kind: str, **options: float) -> None:
        from django.conf import settings

        variables = {
            "CACHE_URL": ",".join(settings.CACHING["SERVERS"]),
            "CACHE_PREFIX": settings.CACHING["PREFIX"],
        }
        arguments = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, file, kind, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def main(file: Path, kind: str, **options: float) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()

    from django.conf import settings

    from apps import caching

    # A busy machine is not a server that is away.
    settings.CACHING = {**settings.CACHING, "SOCKET_TIMEOUT": 5.0, **options}

    @caching.cached(timeout=timedelta(minutes=1), tags=["thing:{number}"])
    def compute(number: int) -> str:
        with file.open("a", encoding="ascii") as note:
            note.write(str(number))
        if kind == "hang":
            threading.Event().wait()
        threading.Event().wait(JOB_SECONDS)  # the work
        return f"value {number}"

    def ask(thread: int) -> str:
        start.wait()
        if kind == "batch":
            # No two in the same order, so that everybody waits for somebody.
            turned = [(number + thread) % len(NUMBERS) for number in NUMBERS]
            return " ".join(sorted(compute.many([(number,) for number in turned])))
        return compute(1)

    start = threading.Barrier(THREADS)
    say("ready")
    for line in sys.stdin:
        if line == "go\n":
            say(asked(ask))
        else:
            for number in NUMBERS:
                compute.forget(number)
            say("forgotten")


def asked(ask: Callable[[int], str]) -> str:
    with ThreadPoolExecutor(THREADS) as pool:
        return str(sorted(set(pool.map(ask, range(THREADS)))))


def say(word: str) -> None:
    print(word, flush=True)  # noqa: T201


if __name__ == "__main__":
    given = dict(argument.split("=") for argument in sys.argv[3:])
    main(Path(sys.argv[1]), sys.argv[2], **{name: float(value) for name, value in given.items()})
