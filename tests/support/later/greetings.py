"""The same job with an argument more, and another that the release before did not have."""

from __future__ import annotations

from pathlib import Path

from apps import messaging


@messaging.job()
def greet(*, path: str, name: str) -> None:
    _append(path, f"Hello, {name}")


@messaging.job()
def part(*, path: str) -> None:
    _append(path, "Farewell")


def _append(path: str, line: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
