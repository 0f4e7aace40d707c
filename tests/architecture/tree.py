"""The project's own Python files, parsed once for all the rules."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def tracked(pattern: str) -> tuple[Path, ...]:
    """Return the files of the tree that match, as git knows them (new ones too, ignored not)."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", pattern]
    listing = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        # An unpacked archive, or a clone that belongs to somebody else, has no git to ask.
        return tuple(sorted(path for path in ROOT.rglob(pattern) if not _ignored(path)))
    names = sorted(filter(None, listing.stdout.split("\0")))
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def _ignored(path: Path) -> bool:
    first = path.relative_to(ROOT).parts[0]
    return first.startswith(".") or first == "var"


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below these folders, migrations left out."""
    return [
        path
        for path in tracked("*.py")
        if path.relative_to(ROOT).parts[0] in folders and "migrations" not in path.parts
    ]


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a file."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_lines(path: Path) -> int:
    """Count the lines of a file that are neither blank nor only a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))
