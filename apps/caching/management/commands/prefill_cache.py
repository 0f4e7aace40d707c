from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.caching.prefill import run_prefills


class Command(BaseCommand):
    help = "Compute the entries that a prefill names and store them, before visitors come."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = []
        for report in run_prefills():
            reports.append(report)
            if not options["json"]:
                self.stdout.write(f"{report.name}: {report.entries} in {report.seconds:.2f} s")
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports]))
        if failures := sum(report.failures for report in reports):
            raise CommandError(f"{failures} entries could not be computed: see the log.")
