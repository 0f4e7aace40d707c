"""The hashed locks: compile them, and tell without the package index whether they are in step.

`python -m devstack.locks` compiles the requirements files from pyproject.toml. Each holds all that
the one before it does: what the site needs, what development needs, what the benchmarks compare.
`python -m devstack.locks --check` compares what pyproject.toml asks for with what is locked.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devstack.processes import ROOT

RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
BENCHMARKS = "requirements-bench.txt"
# Each lock with the groups of pyproject.toml that it adds, from the smallest to the largest.
LOCKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (RUNTIME, ()),
    (DEVELOPMENT, ("dev",)),
    (BENCHMARKS, ("dev", "bench")),
)
COMPILE = (
    "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet",
)  # fmt: skip
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One locked package."""

    name: str
    version: str
    hashed: bool
    # We ask for it ourselves, rather than through another package.
    direct: bool


def compile_locks(root: Path) -> None:
    """Write all locks. A pin that still fits is kept."""
    smaller: list[str] = []
    for lock, groups in LOCKS:
        options = [word for group in groups for word in ("--group", group)]
        command = [sys.executable, "-m", "uv", *COMPILE, *options, *smaller, "-o", lock]
        subprocess.run(command, cwd=root, check=True)
        smaller = ["-c", lock]


def differences(root: Path) -> list[str]:
    """Return each way in which the locks are not what pyproject.toml asks for, as a sentence."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    found, smaller = [], (RUNTIME, list[Pin]())
    for lock, groups in LOCKS:
        asked = [*project["project"]["dependencies"]]
        asked += [text for group in groups for text in project["dependency-groups"][group]]
        pins = _pins((root / lock).read_text())
        found += _differences(lock, [Requirement(text) for text in asked], pins)
        found += _lacking(lock, pins, *smaller)
        smaller = (lock, pins)
    return found


def _lacking(lock: str, pins: list[Pin], smaller: str, needed: list[Pin]) -> list[str]:
    """Return what a lock lacks, or has in another version, of the one that it is to hold."""
    locked = {(pin.name, pin.version) for pin in pins}
    return [
        f"{lock} lacks {pin.name}=={pin.version} of {smaller}."
        for pin in needed
        if (pin.name, pin.version) not in locked
    ]


def _differences(lock: str, asked: list[Requirement], pins: list[Pin]) -> list[str]:
    found = []
    for requirement in asked:
        name = canonicalize_name(requirement.name)
        versions = [pin.version for pin in pins if pin.name == name]
        if not any(requirement.specifier.contains(version) for version in versions):
            locked = " and ".join(versions) or "nothing"
            found.append(f"{lock} has {locked} for `{requirement}`.")
    names = {canonicalize_name(requirement.name) for requirement in asked}
    for pin in pins:
        if pin.direct and pin.name not in names:
            found.append(f"{lock} still has {pin.name}, which nobody asks for.")
        if not pin.hashed:
            found.append(f"{lock} has no hash for {pin.name}.")
    return found


def _pins(lock: str) -> list[Pin]:
    matches = list(PIN.finditer(lock))
    ends = [match.start() for match in matches[1:]] + [len(lock)]
    blocks = [lock[match.start() : end] for match, end in zip(matches, ends, strict=True)]
    return [
        Pin(
            name=canonicalize_name(match["name"]),
            version=match["version"],
            hashed="--hash=sha256:" in block,
            direct="(pyproject.toml" in block,
        )
        for match, block in zip(matches, blocks, strict=True)
    ]


def main(arguments: list[str]) -> int:
    """Compile, or check; returns the exit code."""
    if "--check" not in arguments:
        compile_locks(ROOT)
        return 0
    found = differences(ROOT)
    for sentence in found:
        print(sentence)
    if found:
        print("Run `make lock`.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
