"""The counts of all processes of a site, brought together in the cache itself.

Each process owns one of a few places and rewrites it now and then from a thread: no page waits
for it. What a process counted is forgotten some minutes after its end.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

import msgspec

from apps.caching import stats
from apps.caching.engine import engine
from apps.caching.locks import Lock
from apps.caching.node import Node
from apps.caching.stores import Item

PLACES = 64
KEPT_SECONDS = 900
NOW = "_now"  # ends the name of what is no count: how it is at this moment
Counts = Mapping[str, Mapping[str, float]]


class Report(msgspec.Struct):
    """What one process counted since it started."""

    process: str
    counted: dict[str, dict[str, float]]
    servers: dict[str, dict[str, float]] = {}  # msgspec gives each report its own


_decoder = msgspec.json.Decoder(Report)
_wake = Lock()
_reporter: tuple[int, threading.Thread] | None = None
_place: tuple[int, str] | None = None


def ensure_reporting() -> None:
    """See to it that this process reports; the place to call is where it counts."""
    global _reporter  # noqa: PLW0603 - one thread per process; a fork has none
    if _reporter is not None and _reporter[0] == os.getpid():
        return
    if not engine().options.report_seconds:
        return
    with _wake:
        if _reporter is None or _reporter[0] != os.getpid():
            thread = threading.Thread(target=_keep_reporting, daemon=True, name="cache-report")
            with suppress(RuntimeError):  # no thread to spare: the next look-up tries again
                thread.start()
                _reporter = (os.getpid(), thread)


def report_now() -> None:
    """Write what this process has counted to its place."""
    global _place  # noqa: PLW0603 - claimed once per process
    process = f"{socket.gethostname()}:{os.getpid()}"
    raw = msgspec.json.encode(Report(process, stats.counted(), _servers()))
    if _place is not None and _place[0] == os.getpid():
        key = _place[1]
        engine().servers.place(key).put([Item(key, raw, KEPT_SECONDS)])
        return
    start = os.getpid() % PLACES
    for key in (_key((start + step) % PLACES) for step in range(PLACES)):
        if engine().servers.place(key).add([Item(key, raw, KEPT_SECONDS)]) == [True]:
            _place = (os.getpid(), key)
            return


def collect() -> list[Report]:
    """Return the reports of every process that wrote one lately."""
    by_node: dict[Node, list[str]] = {}
    for number in range(PLACES):
        by_node.setdefault(engine().servers.place(_key(number)), []).append(_key(number))
    raws = [raw for node, keys in by_node.items() for raw in node.get(keys) or () if raw]
    return [report for raw in raws if (report := _read(raw)) is not None]


def totals(counts: Iterable[Counts]) -> Counts:
    """Return the sums: of each function, or of each server, what was counted."""
    sums: dict[str, dict[str, float]] = {}
    for one in counts:
        for name, counted in one.items():
            total = sums.setdefault(name, {})
            for what, amount in counted.items():
                total[what] = total.get(what, 0) + amount
    return dict(sorted(sums.items()))


def since(before: Iterable[Report], after: Iterable[Report]) -> list[Report]:
    """Return what each process counted between two reports of it."""
    earlier = {report.process: report for report in before}
    nothing = Report("", {})
    return [
        Report(
            report.process,
            _difference(earlier.get(report.process, nothing).counted, report.counted),
            _difference(earlier.get(report.process, nothing).servers, report.servers),
        )
        for report in after
    ]


def _difference(before: Counts, after: Counts) -> dict[str, dict[str, float]]:
    begun_anew = any(
        amount > after.get(name, {}).get(what, 0)
        for name, counted in before.items()
        for what, amount in counted.items()
        if not what.endswith(NOW)
    )
    if begun_anew:  # another process with the same number
        before = {}
    return {
        name: {
            what: amount if what.endswith(NOW) else amount - before.get(name, {}).get(what, 0)
            for what, amount in counted.items()
        }
        for name, counted in after.items()
    }


def _servers() -> dict[str, dict[str, float]]:
    """Return what happened to each server, and how this process stands with it now."""
    counted = stats.counted_on()
    return {
        node.name: {
            **counted.get(node.name, {}),
            f"owed{NOW}": node.owes,
            f"shut{NOW}": int(node.is_shut),
        }
        for node in engine().servers.nodes
    }


def _key(number: int) -> str:
    return engine().keys.report(number)


def _read(raw: bytes) -> Report | None:
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError:
        return None


def _keep_reporting() -> None:
    while seconds := engine().options.report_seconds:
        time.sleep(seconds)
        report_now()
