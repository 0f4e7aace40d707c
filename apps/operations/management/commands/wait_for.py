from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.operations.selectors.probes import PROBES

CHECKS: dict[str, Callable[[], None]] = {probe.name: probe.check for probe in PROBES}
PAUSE = 0.2


class Command(BaseCommand):
    help = (
        "Wait until what the site leans on is there, for scripts and containers that start "
        "together. Ends with 0 when all is, with 4 when the time is over before. "
        "Example: manage.py wait_for database broker --timeout 60"
    )
    # It waits for what the checks would complain about.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument(
            "what", nargs="+", choices=sorted(CHECKS), help="What to wait for, in this order."
        )
        parser.add_argument("--timeout", type=float, default=60, help="Seconds, for all of them.")

    def handle(self, *args: Any, what: list[str], timeout: float, **options: Any) -> None:
        deadline = time.monotonic() + timeout
        for name in what:
            self._wait(name, deadline)
            self.stderr.write(f"{name}: there")

    def _wait(self, name: str, deadline: float) -> None:
        while True:
            try:
                CHECKS[name]()
            except Exception as error:
                if time.monotonic() > deadline:
                    raise CommandError(f"{name}: not there ({error!r})", returncode=4) from error
                time.sleep(PAUSE)
            else:
                return
