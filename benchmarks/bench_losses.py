"""What is lost when workers are killed and the broker is restarted: ours, plain Celery, dramatiq.

    python -m benchmarks.bench_losses [--jobs 400] [--kills 8] [--seed 1] [--broker Valkey] [--json]

Jobs of 20 ms are started all the while. The same seed gives each way the same faults in the same
order, at random places in its own work. "Not done": not in the ledger when nothing has moved for
twenty seconds after the last fault. "Refused": starting the job raised, in somebody's request.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.carriers.ground import Ground, ground, use_broker
from benchmarks.carriers.ways import LATE, VISIBILITY, Dramatiq, Ours, PlainCelery, Way
from benchmarks.tables import Report, Target, options

WORKERS, CONCURRENCY = 2, 4
STILL_SECONDS, MOST_SECONDS = 20.0, 90.0


def ways(broker: str, url: str) -> list[Way]:
    """The ways that are compared on a broker."""
    is_valkey = broker == "Valkey"
    late = {**LATE, **(VISIBILITY if is_valkey else {})}
    told = "acks_late, reject_on_worker_lost" + (", visibility 5 s" if is_valkey else "")
    found: list[Way] = [
        PlainCelery(url=url, name="Celery, defaults"),
        PlainCelery(url=url, name="Celery, acks_late", options={"task_acks_late": True}),
        PlainCelery(url=url, name=f"Celery, {told}", options=late),
        Dramatiq(url=url),
        Ours(url=url),
    ]
    # On RabbitMQ the second differs from the third only where a child alone is killed.
    return found if is_valkey else [way for way in found if way.name != "Celery, acks_late"]


@dataclass
class Starter:
    """Starts jobs as requests do, and counts those for which that failed."""

    way: Way
    refused: int = 0

    def __call__(self, number: int) -> None:
        try:
            self.way.start("carry", number=number)
        except Exception:  # noqa: BLE001 - each library has its own
            self.refused += 1


def lose(way: Way, broker: str, found: Ground, chosen: Any) -> dict[str, object]:
    """One way through all faults; the row of the table."""
    from tests.support.chaos import Storm, ledger

    ledger.open()
    use_broker(found.url(broker))
    workers = [
        way.worker(f"{number}{way.name.strip('*')[:9]}", found.folder, concurrency=CONCURRENCY)
        for number in range(WORKERS)
    ]
    start = Starter(way)
    server = found.brokers[broker]
    storm = Storm(seed=chosen.seed, workers=workers, broker=server, start=start, done=ledger.done)
    try:
        for worker in workers:
            worker.start(seconds=60)
        storm.rage(jobs=chosen.jobs, kills=chosen.kills, freezes=0, restarts=1, stalls=0)
        seconds = settle(ledger.done, chosen.jobs - start.refused)
    finally:
        for worker in workers:
            worker.kill()
    count = ledger.count(chosen.jobs - start.refused)
    return {
        "way": way.name,
        "refused": start.refused,
        "not done": count.lost,
        "begun more than once": count.begun_twice,
        "finished more than once": count.done_twice,
        "seconds after the last fault": f"{seconds:.0f}",
    }


def settle(done: Any, wanted: int) -> float:
    """Wait until all is done, or nothing has moved for a while; when the last was done."""
    began = moved = time.monotonic()
    last = done()
    while last < wanted and time.monotonic() < min(moved + STILL_SECONDS, began + MOST_SECONDS):
        time.sleep(0.1)
        if (now := done()) != last:
            last, moved = now, time.monotonic()
    return moved - began


def main() -> None:
    chosen = options(__doc__, jobs=400, kills=8, seed=1, broker="")
    report = Report()
    with ground(durable=False) as found:
        for broker in [chosen.broker] if chosen.broker else found.brokers:
            rows = report.tables[f"{chosen.jobs} jobs, {chosen.kills} kills, {broker}"] = []
            for way in ways(broker, found.url(broker)):
                print(f"{broker}: {way.name}", file=sys.stderr, flush=True)
                rows.append(lose(way, broker, found, chosen))
                print(f"  {rows[-1]}", file=sys.stderr, flush=True)
            what = f"ours, lost or refused, {broker}"
            measured = float(rows[-1]["not done"]) + float(rows[-1]["refused"])
            report.targets.append(Target(what=what, wanted=0, measured=measured))
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
