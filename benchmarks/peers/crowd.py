"""One of several processes that ask one way for the same value: `python -m benchmarks.peers.crowd`.

The way's name is its argument. It says "ready", then does what each line says and answers with one
line of JSON. "cold 3": all threads ask for number 3 at once. "steady 4.5": they ask for one number
again and again for so long. Where the way awaits, tasks of one event loop stand for the threads.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

THREADS = 8
JOB_SECONDS = 0.1
THINK_SECONDS = 0.01
LIFE_SECONDS = 1
LONG = 600
SETTLED = 0


class Crowd:
    """Threads that ask; notes when each computation began and how long each answer took."""

    def __init__(self, keep: Callable[..., Any], name: str, *, seconds: int) -> None:
        from benchmarks.peers.kept import KeptAwaiting

        self.computations: list[float] = []
        self.waits: list[float] = []
        self.name = name
        self.kept = keep(self._function(awaiting=False), seconds)
        self.awaits = isinstance(self.kept, KeptAwaiting)
        if self.awaits:
            self.kept = keep(self._function(awaiting=True), seconds)

    def _function(self, *, awaiting: bool) -> Callable[[int], Any]:
        def compute(number: int) -> str:
            self.computations.append(time.monotonic())
            threading.Event().wait(JOB_SECONDS)
            return f"value {number}"

        async def compute_later(number: int) -> str:
            self.computations.append(time.monotonic())
            await asyncio.sleep(JOB_SECONDS)
            return f"value {number}"

        function: Callable[[int], Any] = compute_later if awaiting else compute
        function.__qualname__ = self.name
        return function

    def ask(self, number: int, *, seconds: float) -> dict[str, list[float]]:
        """Let all ask once, or again and again for so long; return what was noted meanwhile."""
        self.computations.clear()
        self.waits.clear()
        until = time.monotonic() + seconds
        if self.awaits:
            from benchmarks.peers.kept import event_loop

            event_loop().run_until_complete(self._ask_awaiting(number, until))
        else:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda _: self._ask(number, until), range(THREADS)))
        return {"computations": list(self.computations), "waits": list(self.waits)}

    def _ask(self, number: int, until: float) -> None:
        while True:
            began = time.monotonic()
            assert self.kept(number) == f"value {number}"
            self.waits.append(time.monotonic() - began)
            if time.monotonic() >= until:
                return
            time.sleep(THINK_SECONDS)

    async def _ask_awaiting(self, number: int, until: float) -> None:
        async def one() -> None:
            while True:
                began = time.monotonic()
                assert await self.kept.later(number) == f"value {number}"
                self.waits.append(time.monotonic() - began)
                if time.monotonic() >= until:
                    return
                await asyncio.sleep(THINK_SECONDS)

        await asyncio.gather(*(one() for _ in range(THREADS)))


def main(name: str) -> None:
    import django

    django.setup()
    from benchmarks.peers.ways import ALL

    lives = {"cold": LONG, "steady": LIFE_SECONDS}
    crowds = {kind: Crowd(ALL[name].keep, kind, seconds=life) for kind, life in lives.items()}
    # Connections, first imports: none of these is what is measured.
    crowds["cold"].ask(SETTLED, seconds=0)
    print("ready", flush=True)
    for line in sys.stdin:
        kind, given = line.split()
        number, seconds = (int(given), 0.0) if kind == "cold" else (SETTLED, float(given))
        print(json.dumps(crowds[kind].ask(number, seconds=seconds)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
