"""The same job with an argument more; another, and events, that the release before did not have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from apps import messaging


@messaging.job()
def greet(*, path: str, name: str) -> None:
    _append(path, f"Hello, {name}")


@messaging.job()
def part(*, path: str) -> None:
    _append(path, "Farewell")


class Met(msgspec.Struct, frozen=True):
    """Somebody was met, which is noted in a file."""

    path: str
    name: str


@messaging.batch("greetings.met", of=Met, every=0.1)
def remember(events: Sequence[Met]) -> None:
    for event in events:
        _append(event.path, f"Met {event.name}")


def _append(path: str, line: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
