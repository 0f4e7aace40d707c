from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from apps.caching.health import see_servers
from apps.caching.reporting import collect, totals

HEAD = f"{'function':<48}{'hits':>10}{'misses':>8}{'hit %':>7}{'computed':>10}{'seconds':>9}"


class Command(BaseCommand):
    help = "Show what the cached functions counted, over all processes that ran lately."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = collect()
        functions = totals(reports)
        servers = see_servers()
        if options["json"]:
            document = {
                "servers": servers,
                "processes": sorted(report.process for report in reports),
                "functions": functions,
            }
            self.stdout.write(json.dumps(document))
            return
        for name, answered in servers.items():
            self.stdout.write(f"{name} {'answers' if answered else 'is away'}")
        self.stdout.write(f"{len(reports)} processes reported\n\n{HEAD}")
        for name, counted in functions.items():
            self.stdout.write(line(name, counted))


def line(name: str, counted: Counter[str]) -> str:
    """Return one row: a bypass inside a changing transaction is no miss."""
    hits = counted["hits"] + counted["stale"]
    misses = sum(n for what, n in counted.items() if what.startswith("misses_"))
    share = 100 * hits / (hits + misses) if hits + misses else 0
    return (
        f"{name[-46:]:<48}{hits:>10.0f}{misses:>8.0f}{share:>7.1f}"
        f"{counted['computations']:>10.0f}{counted['seconds_computing']:>9.2f}"
    )
