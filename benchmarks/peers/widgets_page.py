"""A page of twenty widgets, each asked for by itself: `python -m … WAY URLS`, in a process.

It fills the cache, says how long a page takes without one, waits for a line, draws pages and says
of each call how long it took and what it raised. A widget takes five milliseconds to compute.
"""

from __future__ import annotations

import json
import sys
import threading
import time

WIDGETS = 20
PAGES = 5
COMPUTING = 0.005


def draw(number: int) -> str:
    """Compute one widget."""
    threading.Event().wait(COMPUTING)
    return f"widget {number}"


def main(name: str, urls: dict[str, str]) -> None:
    from benchmarks.peers.ways import ALL, set_up

    set_up([ALL[name]], urls)
    kept = ALL[name].keep(draw, 600)
    kept.many(range(WIDGETS))
    began = time.perf_counter()
    for number in range(WIDGETS):
        draw(number)
    print(time.perf_counter() - began, flush=True)
    sys.stdin.readline()
    for number in range(WIDGETS * PAGES):
        began = time.perf_counter()
        raised = ""
        try:
            kept(number % WIDGETS)
        except Exception as error:  # noqa: BLE001 - that it raises is what we want to know
            raised = type(error).__name__
        print(json.dumps([time.perf_counter() - began, raised]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
