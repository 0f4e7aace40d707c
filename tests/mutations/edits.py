"""What a guard is made of, and how one is written down."""

from __future__ import annotations

from dataclasses import dataclass

UNIT, REAL = "tests/unit/caching/test_", "tests/integration/caching/test_"


@dataclass(frozen=True)
class Edit:
    """A piece of code that occurs once in its file, and what stands there without the guard."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Guard:
    """A guard by its name in the table."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def guard(name: str, file: str, old: str, new: str, *tests: str) -> Guard:
    """Return one that is a single piece of code."""
    return Guard(name, (edit(file, old, new),), tests)


def edit(file: str, old: str, new: str) -> Edit:
    """Return an edit of a file of the layer."""
    return Edit(f"apps/caching/{file}.py", old, new)
