"""A process that emits views of photos, as a web process does, until it is asked to stop.

`python -m tests.support.emitter <day> <photo id> …`: it goes round the photos, ends when its
standard input does, and writes how many times it went round: the ledger.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import uuid
from datetime import date
from types import TracebackType
from typing import Self

import django


class Emitter:
    """Such a process, seen from the test."""

    def __init__(self, day: date, photo_ids: list[uuid.UUID]) -> None:
        from tests.support.servers import site_variables

        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.emitter", str(day), *map(str, photo_ids)],
            env={**os.environ, **site_variables()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def stop(self) -> int:
        """Let it end as a process does; return how many rounds it emitted."""
        told, _ = self._process.communicate(timeout=180)
        assert self._process.returncode == 0
        return int(told)


def main(day: str, *photo_ids: str) -> None:
    from apps.messaging.batches import sender
    from apps.photos.tasks import PhotoViewed, count_views

    rounds = 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        for photo_id in photo_ids:
            count_views.emit(PhotoViewed(photo_id=uuid.UUID(photo_id), day=date.fromisoformat(day)))
        rounds += 1
        if rounds % 10 == 0:
            # A buffer that overflows is another test.
            assert sender.flush(seconds=60)
    sys.stdout.write(f"{rounds}\n")
    # What is not sent yet is sent as the process ends.


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    main(*sys.argv[1:])
