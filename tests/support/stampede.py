"""One of several processes that ask for the same cold entry at the same moment.

`python -m tests.support.stampede <file>`: says "ready", waits for a line, asks from eight threads,
writes a letter to the file for each computation, and prints what it was answered.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import django

THREADS = 8
JOB_SECONDS = 0.1


def main(file: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()

    from django.conf import settings

    from apps import caching

    # A busy machine is not a server that is away.
    settings.CACHING = {**settings.CACHING, "SOCKET_TIMEOUT": 5.0}

    @caching.cached(timeout=timedelta(minutes=1), tags=["thing:{number}"])
    def compute(number: int) -> str:
        with file.open("a", encoding="ascii") as note:
            note.write("x")
        threading.Event().wait(JOB_SECONDS)  # the work
        return f"value {number}"

    start = threading.Barrier(THREADS)

    def ask() -> str:
        start.wait()
        return compute(1)

    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = [future.result() for future in [pool.submit(ask) for _ in range(THREADS)]]
    print(sorted(set(answers)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
