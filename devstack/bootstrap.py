#!/usr/bin/env python3
"""Make .venv with the locked packages, then run one of the commands below.

    python3 devstack/bootstrap.py up              the whole site, until Ctrl-C
    python3 devstack/bootstrap.py test [ARG…]     all tests; arguments go to pytest
    python3 devstack/bootstrap.py check           all checks of the code
    python3 devstack/bootstrap.py bench [ARG…]    the benchmarks, with what they compare ours to
    python3 devstack/bootstrap.py run ARG…        .venv's Python with these arguments

Standard library only, and no newer syntax than an old Python can say "too old" with. When the
locks and the Python are those of the last time, it costs some milliseconds. A `.venv` that is a
symbolic link is used as it is: whoever made the link looks after it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "safelight.stamp"
LOCK = "requirements-dev.txt"  # holds everything that requirements.txt does
LARGEST = "requirements-bench.txt"  # and this one everything that LOCK does
OLDEST, NEWEST = (3, 11), (3, 13)
COMMANDS = {
    "up": ["-m", "devstack.up"],
    "test": ["-m", "devstack.testing"],
    "check": ["-m", "devstack.check"],
    "bench": ["-m", "benchmarks"],
    "run": [],
}
PR_SET_PDEATHSIG = 1
# How pip's settings are called by uv, which does not read pip's configuration.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class Failed(Exception):
    """The sentence to print; nothing else is."""


def main(arguments: list[str]) -> None:
    """Become the command, in a Python that has all it needs."""
    if not arguments or arguments[0] not in COMMANDS:
        raise Failed(f"Say one of: {', '.join(COMMANDS)}.")
    command, *rest = arguments
    if command == "up":
        end_with_make()
    if sys.version_info[:2] < OLDEST:
        become_newer()
    os.chdir(ROOT)
    if not VENV.is_symlink():
        with only_one():
            install(LARGEST if command == "bench" else LOCK)
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), *COMMANDS[command], *rest])


def end_with_make() -> None:
    """Where `make` started us, have Linux stop us when make is killed and can pass nothing on."""
    if "MAKELEVEL" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def become_newer() -> None:
    """Run again in a Python from the PATH that is new enough. Raises Failed if there is none."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = shutil.which(f"python3.{minor}")
        # A name on the PATH may be a shim without a Python behind it.
        if name and runs(name, ""):
            os.execv(name, [name, *sys.argv])
    raise Failed(
        f"Python 3.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}, and the PATH"
        " has no other."
    )


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold off other starts from this clone meanwhile; wait for one that installs already."""
    try:
        (ROOT / "var").mkdir(exist_ok=True)
        handle = (ROOT / "var" / "install.lock").open("w")
    except OSError as error:
        raise Failed(f"{ROOT / 'var'} cannot be written: {error.strerror}.") from None
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def install(lock: str) -> None:
    """Bring .venv in step with the lock, if it is not, nor with a larger one."""
    if STAMP.exists() and STAMP.read_text() in {wanted_stamp(lock), wanted_stamp(LARGEST)}:
        return
    try:
        if not runs(PYTHON, "import pip"):
            make_venv()
        say(f"Installing {len(re.findall('(?m)^[a-z0-9]', read(lock)))} packages, once")
        if not install_with_uv(lock):
            install_with_pip(lock)
        STAMP.write_text(wanted_stamp(lock))
    except OSError as error:
        raise Failed(f"{VENV} cannot be made: {error.strerror or error}.") from None


def wanted_stamp(lock: str) -> str:
    """Return what identifies a .venv that needs no work: locks, Python, and where it lies."""
    parts = [read(lock), read("requirements.txt"), sys.version, sys.base_prefix, str(VENV)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make_venv() -> None:
    """Make an empty .venv, getting Python's own module for it from Debian where we may."""
    if VENV.exists():
        shutil.rmtree(VENV)
    if not runs(sys.executable, "import ensurepip"):
        package = f"python3.{sys.version_info[1]}-venv"
        apt = shutil.which("apt-get")
        if os.geteuid() != 0 or apt is None:
            raise Failed(f"Python lacks ensurepip; on Debian: apt-get install {package}.")
        say(f"Installing {package}")
        run(apt, "update", "-q")
        got = run(apt, "install", "-qy", "--no-install-recommends", package)
        if got.returncode:
            raise Failed(f"apt-get could not install {package}: {last_line(got.stderr)}")
    say("Making .venv")
    done = run(sys.executable, "-m", "venv", VENV)
    if done.returncode:
        raise Failed(f".venv could not be made: {last_line(done.stdout + done.stderr)}")


def install_with_uv(lock: str) -> bool:
    """Install with uv, which takes seconds where pip takes a minute; tell whether it worked."""
    if not runs(PYTHON, "import uv"):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.writelines(re.findall(r"(?m)^uv==.*(?:\n +--hash.*)*", read(lock)))
            only_uv.flush()
            if pip("--require-hashes", "--no-deps", "-r", only_uv.name).returncode:
                return False
    sync = ("pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, lock)
    done = run(PYTHON, "-m", "uv", "--no-config", *sync, **uv_settings())
    if done.returncode:
        say(f"uv could not ({last_line(done.stderr)}); trying pip, which takes a minute")
    return done.returncode == 0


def uv_settings() -> dict[str, str]:
    """Return what pip is configured with, in uv's words; what is said to uv itself comes first."""
    told = run(PYTHON, "-m", "pip", "config", "list")
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip does; the hashes guard it
    # The variables come last in pip's list, and win as they do in pip.
    for name, value in re.findall(r"(?m)^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", told.stdout):
        if name in UV_NAMES:
            separator = "," if name == "find-links" else " "
            words = value.replace("\\n", " ").split() if name != "cert" else [value]
            settings[UV_NAMES[name]] = separator.join(words)
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    if not os.access(cache if Path(cache).exists() else Path(cache).parent, os.W_OK):
        settings["UV_NO_CACHE"] = "1"
    return {name: value for name, value in settings.items() if name not in os.environ}


def install_with_pip(lock: str) -> None:
    """Install with pip. Raises Failed with what pip said last."""
    done = pip("--require-hashes", "-r", lock)
    if done.returncode:
        missing = re.search(r"No matching distribution found for (\S+)", done.stderr)
        if missing:
            raise Failed(
                f"{missing.group(1)} has no wheel for this system ({sys.platform}, Python"
                f" {sys.version.split()[0]}), or the package index does not have it: use Python"
                " 3.11 to 3.13 on Linux (x86-64, ARM) or macOS (ARM)."
            )
        raise Failed(f"The packages could not be installed: {last_line(done.stderr)}")


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pip install` in .venv."""
    return run(PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it says."""
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def runs(python: str | Path, code: str) -> bool:
    """Tell whether this Python exists and runs this code."""
    try:
        return run(python, "-c", code).returncode == 0
    except OSError:
        return False


def read(name: str) -> str:
    """Return the text of a file at the top of the clone."""
    return (ROOT / name).read_text(encoding="utf-8")


def last_line(text: str) -> str:
    """Return what a program said in the end, without the colour."""
    lines = re.sub(r"\033\[[0-9;]*m", "", text).strip().splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it said nothing"])[-1].strip()


def say(text: str) -> None:
    """Print progress."""
    print(text, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failed as failed:
        sys.exit(f"Safelight: {failed}")
    except KeyboardInterrupt:
        sys.exit(130)
