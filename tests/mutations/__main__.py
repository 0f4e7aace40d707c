"""Take each guard of the cache out, in a copy, and see that the tests named for it fail.

    python -m tests.mutations [--list] [WORDS OF A GUARD]

The list is `guards.py`, the table is in docs/caching-races.md. Ends with 1 if a test passes without
its guard, and at once if a guard is no longer in the code as it is written there: then the list is
to be mended. Each run has servers of its own, so this takes some minutes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.edits import Edit, Guard
from tests.mutations.guards import GUARDS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900
FAILED = re.compile(r"^FAILED \S+::(\w+)", re.MULTILINE)


class NotThere(Exception):
    """The code that is to be taken out is not there, or more than once."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("words", nargs="*", help="take only guards out whose names hold all these")
    parser.add_argument("--list", action="store_true", help="name the guards, and run nothing")
    asked = parser.parse_args(arguments)
    chosen = [guard for guard in GUARDS if all(word in guard.name for word in asked.words)]
    if not chosen:
        parser.error("no guard has such a name")
    check(chosen)
    if asked.list:
        say("\n".join(guard.name for guard in chosen))
        return 0
    with copied() as folder:
        before = failures(folder, {test for guard in chosen for test in guard.tests})
        if before:
            say(f"these fail with all guards in place: {', '.join(sorted(before))}")
            return 1
        found = [is_found(folder, guard) for guard in chosen]
        return int(not all(found))


def check(guards: Iterable[Guard]) -> None:
    """Raise NotThere if one of them is not in the code as it is described."""
    for guard in guards:
        for edit in guard.edits:
            mutated(edit, (ROOT / edit.file).read_text())


def mutated(edit: Edit, code: str) -> str:
    if code.count(edit.old) != 1:
        raise NotThere(f"{code.count(edit.old)} times in {edit.file}:\n{edit.old}")
    return code.replace(edit.old, edit.new)


def is_found(folder: Path, guard: Guard) -> bool:
    """Say whether each test that is named for this guard fails without it."""
    started = time.monotonic()
    with without(guard, folder):
        passed = set(map(name_of, guard.tests)) - failures(folder, guard.tests)
    seconds = f"{time.monotonic() - started:.0f} s"
    say(f"{'PASSES' if passed else 'fails'}  {guard.name} ({seconds})  {' '.join(sorted(passed))}")
    return not passed


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of what is in the working tree and known to git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        folder = Path(name)
        for file in filter(None, listed.split("\0")):
            if (ROOT / file).is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / file, folder / file)
        yield folder


@contextmanager
def without(guard: Guard, folder: Path) -> Iterator[None]:
    """Take the guard out of the copy until the block ends."""
    before = {edit.file: (folder / edit.file).read_text() for edit in guard.edits}
    try:
        for edit in guard.edits:
            path = folder / edit.file
            path.write_text(mutated(edit, path.read_text()))
        yield
    finally:
        for file, code in before.items():
            (folder / file).write_text(code)


def failures(folder: Path, tests: Iterable[str]) -> set[str]:
    """Run the tests in the copy; return the names of those that fail."""
    done = subprocess.run(
        [
            sys.executable, "-B", "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider",
            "-m", "integration or not integration", *sorted(tests),
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    # A test that could not be run at all, for a mistake in the list, has not failed.
    if done.returncode not in {0, 1} or " error" in done.stdout.splitlines()[-1]:
        raise RuntimeError(f"the tests could not be run:\n{done.stdout[-2000:]}{done.stderr}")
    return set(FAILED.findall(done.stdout))


def name_of(test: str) -> str:
    return test.rpartition("::")[2].partition("[")[0]


def say(what: str) -> None:
    print(what, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
