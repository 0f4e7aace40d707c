from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.messaging.commandline import deciding, looking, queueing
from apps.messaging.commandline.verbs import Console, Verb

VERBS: dict[str, Verb] = {
    verb.name: verb for verb in (*looking.VERBS, *deciding.VERBS, *queueing.VERBS)
}


class Command(BaseCommand):
    help = "Look at jobs, queues and workers, and decide what becomes of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
        for verb in VERBS.values():
            its = verbs.add_parser(verb.name, help=verb.help, description=f"{verb.help}.")
            its.add_argument("--json", action="store_true", help="print one JSON document")
            its.add_argument("--no-input", action="store_true", help="do not ask")
            verb.add_arguments(its)

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(out=self.stdout, as_json=options["json"], may_ask=not options["no_input"])
        if code := VERBS[options["verb"]].run(console, options):
            sys.exit(code)
