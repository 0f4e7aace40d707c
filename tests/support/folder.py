"""A worker's folding that is killed, as by a power cut, between the commit and what comes after.

`python -m tests.support.folder`: it folds until a batch is committed, and dies.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable

import django


def fold_and_die(**variables: str) -> None:
    """Run it, against the servers that the test uses, to its end."""
    from tests.support.servers import site_variables

    done = subprocess.run(
        [sys.executable, "-m", "tests.support.folder"],
        env={**os.environ, **site_variables(), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def main() -> None:
    from apps.messaging.batches.consumer import Consumer
    from apps.messaging.batches.wires import Delivery, open_wire
    from project.celery import app

    app.loader.import_default_modules()

    class Deadly:
        """A wire on which nobody lives to acknowledge."""

        def __init__(self, *, seconds: float) -> None:
            wire = open_wire(seconds=seconds)
            self.send, self.receive = wire.send, wire.receive
            self.count, self.close = wire.count, wire.close

        def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    Consumer(open_wire=Deadly).run()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    main()
