"""All tests, tier by tier: `make test`, or `python -m devstack.testing [PYTEST ARGUMENTS]`.

Each tier is a run of its own: Playwright keeps an event loop in the main thread, in which Django
refuses to touch a database from elsewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.processes import ROOT
from devstack.servers import find_program

NO_TESTS = 5
# What some tests need and no wheel brings: the program, and what goes untested without it.
OPTIONAL = {
    "memcached": "the cache on Memcached",
    "rabbitmq-server": "the message queue on RabbitMQ",
    "chromium": "the site in a browser",
}


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One run of pytest."""

    name: str
    folders: tuple[str, ...]
    marks: str
    # The processes of pytest: tests of the database and of pure code share a machine well, and
    # those of workers and servers wait more than they compute.
    processes: int = 0
    # How they share the tests; by file, where one file's tests have servers of their own.
    shares: str = "load"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a tier went."""

    tier: Tier
    code: int
    counts: Counter[str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether nothing failed; that nothing was chosen is no failure."""
        return self.code in {0, NO_TESTS}


TIERS = (
    Tier(
        name="unit",
        folders=("tests/unit", "tests/architecture"),
        marks="not integration and not browser",
        processes=2,
    ),
    Tier(
        name="integration",
        folders=("tests/integration",),
        marks="integration",
        processes=3,
        shares="loadfile",
    ),
    Tier(
        name="browser",
        folders=("tests/browser",),
        marks="browser",
        processes=2,
        shares="loadfile",
    ),
)


def run(tier: Tier, arguments: Sequence[str], report: Path) -> Result | None:
    """Run one tier; None if the paths among the arguments lie in other tiers."""
    paths = [word for word in arguments if _is_path(word)]
    mine = [path for path in paths if path.startswith(tier.folders)]
    if paths and not mine:
        return None
    print(f"\n=== {tier.name} ===", flush=True)
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-m", tier.marks, f"--junitxml={report}",
            "-n", str(tier.processes), "--dist", tier.shares,
            *[word for word in arguments if word not in paths],
            *(mine or [folder for folder in tier.folders if (ROOT / folder).is_dir()]),
        ],
        cwd=ROOT,
        check=False,
    )  # fmt: skip
    counts, seconds = _read(report)
    return Result(tier=tier, code=done.returncode, counts=counts, seconds=seconds)


def main(arguments: Sequence[str]) -> int:
    """Run all tiers, and end with a line for each. Returns the exit code."""
    folder = ROOT / "var" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for tier in TIERS:
        result = run(tier, arguments, folder / f"{tier.name}.xml")
        if result is not None:
            results.append(result)
    print("\n=== summary ===")
    for name, what in OPTIONAL.items():
        if find_program(name) is None:
            print(f"NOT TESTED: {what}, for {name} is not installed.")
    for result in results:
        print(line(result))
    total = sum((result.counts for result in results), Counter[str]())
    print(
        f"all          {total['passed']:5} passed {total['failed']:4} failed"
        f" {total['skipped']:4} skipped"
    )
    return 0 if results and all(result.passed for result in results) else 1


def line(result: Result) -> str:
    """Return the summary of one tier."""
    counts = result.counts
    verdict = "" if result.passed else f"   FAILED (pytest ended with {result.code})"
    return (
        f"{result.tier.name:<12} {counts['passed']:5} passed {counts['failed']:4} failed"
        f" {counts['skipped']:4} skipped {result.seconds:7.1f} s{verdict}"
    )


def _is_path(word: str) -> bool:
    return not word.startswith("-") and (ROOT / word.partition("::")[0]).exists()


def _read(report: Path) -> tuple[Counter[str], float]:
    """Return the counts and the duration from pytest's own report, empty if it wrote none."""
    if not report.is_file():
        return Counter(), 0.0
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - our own file
    if suite is None:
        return Counter(), 0.0
    told = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed = told["failures"] + told["errors"]
    return (
        Counter(
            passed=told["tests"] - failed - told["skipped"], failed=failed, skipped=told["skipped"]
        ),
        float(suite.get("time", 0)),
    )


if __name__ == "__main__":
    # A developer's own servers and variables are no part of a test run.
    os.environ["ENV_FILES"] = ""
    sys.exit(main(sys.argv[1:]))
