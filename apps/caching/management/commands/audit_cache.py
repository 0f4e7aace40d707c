from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.caching.audit import PATIENCE, Audit, Known, Verdict, audit
from apps.caching.functions import functions

HEAD = f"{'function':<48}" + "".join(f"{verdict.value:>11}" for verdict in Verdict)


class Command(BaseCommand):
    help = "Compare entries of the cache with computations. Ends with 1 if one is not the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=200, help="compare so many at most")
        parser.add_argument("--function", default="", help="only entries of this one")
        parser.add_argument(
            "--tag", action="append", default=[], help='also what this tag tells: "book:17"'
        )
        parser.add_argument(
            "--patience", type=float, default=PATIENCE, help="seconds until a second look"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["function"] and options["function"] not in functions:
            raise CommandError(f"no cached function is called {options['function']}")
        if options["sample"] < 1 or options["patience"] < 0:
            raise CommandError("--sample is at least 1, and --patience at least 0")
        seen = audit(
            sample=options["sample"],
            function=options["function"],
            tags=options["tag"],
            patience=options["patience"],
        )
        self.stdout.write(json.dumps(document(seen)) if options["json"] else table(seen))
        if seen.findings:
            raise CommandError(f"{len(seen.findings)} entries are not what a computation says.")


def document(seen: Audit) -> dict[str, object]:
    return {
        "known": seen.known,
        "kept": seen.kept,
        "functions": seen.verdicts,
        "findings": [
            {
                "function": known.call.name,
                "arguments": repr(known.call.arguments),
                "language": known.language,
                "verdict": verdict,
            }
            for known, verdict in seen.findings
        ],
        "unreached": seen.unreached,
    }


def table(seen: Audit) -> str:
    rows = [
        f"{name[-46:]:<48}" + "".join(f"{counted[verdict]:>11}" for verdict in Verdict)
        for name, counted in sorted(seen.verdicts.items())
    ]
    return "\n".join(
        [
            f"{seen.known} calls are known, {seen.kept} of them are in the cache\n",
            HEAD,
            *rows,
            *[_finding(known, verdict) for known, verdict in seen.findings],
            f"\nno call is known of: {', '.join(seen.unreached) or 'none'}",
        ]
    )


def _finding(known: Known, verdict: Verdict) -> str:
    return f"{verdict}: {known.call!r} in {known.language}"
