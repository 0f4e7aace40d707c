"""The unit tests on the newest Django: `make test-newest`, where a Python new enough is present.

The site runs on the LTS. That its tests pass on the newest release too is what makes the next LTS a
change of one line. The packages are those of the lock, but for Django itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from devstack import bootstrap
from devstack.processes import ROOT

OLDEST = 12  # Django 6 needs Python 3.12
PLACE = ROOT / "var" / "newest"
ARGUMENTS = ("-m", "pytest", "-q", "tests/unit", "tests/architecture")


def pythons() -> Iterator[Path]:
    """Yield the Pythons of this machine that are new enough, the newest first."""
    for minor in range(bootstrap.NEWEST[1], OLDEST - 1, -1):
        named = shutil.which(f"python3.{minor}")
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser()) / "versions"
        for candidate in [named, *sorted(pyenv.glob(f"3.{minor}.*/bin/python3"), reverse=True)]:
            # A name on the PATH may be a shim without a Python behind it.
            if candidate and bootstrap.runs(candidate, ""):
                yield Path(candidate)


def install(python: Path) -> Path:
    """Make an environment of this Python with the lock and the newest Django; return its Python."""
    mine = PLACE / "bin" / "python"
    if not bootstrap.runs(mine, ""):
        _uv("venv", "--clear", "--python", str(python), str(PLACE))
    _uv("pip", "sync", "--require-hashes", "--python", str(mine), bootstrap.LOCK)
    # No hash can be known beforehand: this environment runs tests and nothing else.
    _uv("pip", "install", "--no-deps", "--python", str(mine), "--upgrade", "django")
    return mine


def _uv(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", "--no-config", "--quiet", *words],
        cwd=ROOT,
        env={**os.environ, **bootstrap.uv_settings()},
        check=True,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the tests; returns their exit code, or 0 where there is no Python to run them."""
    python = next(pythons(), None)
    if python is None:
        print(f"NOT TESTED: the newest Django, for no Python 3.{OLDEST} or newer is here.")
        return 0
    mine = install(python)
    subprocess.run(
        [mine, "-c", "import django, platform as p; print(django.VERSION, p.python_version())"],
        check=True,
    )
    return subprocess.run([mine, *ARGUMENTS, *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
