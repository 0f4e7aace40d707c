from __future__ import annotations

from pathlib import Path

from apps import messaging


@messaging.job()
def greet(*, path: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("Hello, whoever you are\n")
