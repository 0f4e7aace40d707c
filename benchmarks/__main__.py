"""All benchmarks, one after the other: `make bench`; ARGS=hits for one, ARGS=caching for its seven.

What each prints is a ratio, taken in one run in which the ways take turns; docs/benchmarks.md keeps
the figures. Arguments after the name go to that benchmark.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
CACHING = ("hits", "writes", "stampede", "races", "outages", "pages", "faults")


def main(arguments: list[str]) -> int:
    """Run the benchmarks of this name with the rest of the arguments, or all without any."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name and name not in {*NAMES, "caching"}:
        known = ", ".join(["caching", *NAMES])
        print(f"There is no benchmark {name}: say one of {known}.", file=sys.stderr)
        return 2
    several: Sequence[str] = CACHING if name == "caching" else NAMES
    status = 0
    for chosen in [name] if name in NAMES else several:
        # What goes to the standard output with --json is lines of JSON and nothing else.
        print(f"\n=== {chosen} ===", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.bench_{chosen}", *rest]
        status |= subprocess.run(command, cwd=HERE.parent, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
