"""Which caches go on serving an old value: the races A to H, forced on each on real servers.

    python -m benchmarks.bench_races [--json]

A reader stores after the invalidation; B reader stores while the transaction of the change is open;
C rollback after own reads; D `queryset.update()` and E raw SQL, both told to the library; F
bookkeeping evicted; G cache cut off during the change and back with its data; H reader with an
older snapshot. **S**: the old value is still served when all is over, that is, until its timeout.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.cache_servers import CacheServers, cache_servers
from benchmarks.peers.kept import Way
from benchmarks.peers.stage import NONE
from benchmarks.peers.ways import OF_RACES, runnable
from benchmarks.tables import Report, Target, options
from devstack.processes import ROOT

SECONDS = 60
PROMISED = tuple("ABDEFGH")


def stage(way: Way, servers: CacheServers) -> dict[str, str]:
    """Force all races on one way, in a process of its own."""
    servers.empty()
    command = [
        sys.executable, "-m", "benchmarks.peers.stage", way.name, json.dumps(servers.urls),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"A": f"does not end within {SECONDS} s"}
    if done.returncode:
        return {"A": f"fails: {done.stderr.strip().splitlines()[-1]}"}
    verdicts: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return verdicts


def count_stale(verdicts: dict[str, str]) -> int:
    """Count the races of a way that were not won."""
    lost = sum(not verdicts.get(race, "").startswith(("ok", NONE)) for race in PROMISED)
    return lost + (verdicts.get("C: own write / left after rollback") != "seen / none")


def main() -> int:
    chosen = options(__doc__)
    report = Report()
    with cache_servers() as servers:
        ways, report.notes = runnable(OF_RACES, servers.kinds)
        results = {way.name: stage(way, servers) for way in ways}
    report.tables["**S**: the old value is served until its timeout"] = [
        {"way": name, **dict(sorted(verdicts.items()))} for name, verdicts in results.items()
    ]
    report.targets = [
        Target(what=f"{name}: races A-H lost", wanted=0, measured=count_stale(verdicts))
        for name, verdicts in results.items()
        if name.startswith("ours")
    ]
    report.show(as_json=chosen.json)
    return int(any(target.verdict != "met" for target in report.targets))


if __name__ == "__main__":
    raise SystemExit(main())
