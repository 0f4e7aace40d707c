"""The hashed locks: compile them, and tell without the package index whether they are in step.

`python -m devstack.locks` compiles requirements.txt and requirements-dev.txt from pyproject.toml.
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
    """Write both locks. A pin that still fits is kept."""
    for options in (["-o", RUNTIME], ["--group", "dev", "-c", RUNTIME, "-o", DEVELOPMENT]):
        subprocess.run([sys.executable, "-m", "uv", *COMPILE, *options], cwd=root, check=True)


def differences(root: Path) -> list[str]:
    """Return each way in which the locks are not what pyproject.toml asks for, as a sentence."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    runtime = [Requirement(text) for text in project["project"]["dependencies"]]
    both = [*runtime, *map(Requirement, project["dependency-groups"]["dev"])]
    pins = {name: _pins((root / name).read_text()) for name in (RUNTIME, DEVELOPMENT)}
    return [
        *_differences(RUNTIME, runtime, pins[RUNTIME]),
        *_differences(DEVELOPMENT, both, pins[DEVELOPMENT]),
        *(
            f"{DEVELOPMENT} lacks {pin.name}=={pin.version} of {RUNTIME}."
            for pin in pins[RUNTIME]
            if (pin.name, pin.version) not in {(p.name, p.version) for p in pins[DEVELOPMENT]}
        ),
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
