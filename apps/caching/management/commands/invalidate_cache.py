from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, transaction

from apps.caching.engine import engine
from apps.caching.invalidation import invalidate
from apps.caching.keys import EVERYTHING, OF_FUNCTION
from apps.caching.management.console import Answer, BadUsage, CacheCommand
from apps.caching.naming import UnknownName, full_name
from apps.caching.sweeping import databases

QUESTION = (
    "Every entry will be computed anew by the next visitor who needs it, on {} server(s). "
    "Go on? [y/N] "
)


class Command(CacheCommand):
    help = (
        "Make entries out of date, as a change in the database does: nobody is shown them again.\n"
        "What a server cannot be told now is written down, and brought to it when it is back.\n\n"
        "  manage.py invalidate_cache order:17 orders\n"
        "  manage.py invalidate_cache --function shop.popular\n"
        "  manage.py invalidate_cache --everything"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tags", nargs="*", help="all that has one of these tags")
        parser.add_argument(
            "--function",
            action="append",
            default=[],
            metavar="NAME",
            help="all entries of a function, widget or view; may be given more than once",
        )
        parser.add_argument("--everything", action="store_true", help="all entries of the site")
        parser.add_argument("--no-input", action="store_true", help="do not ask for confirmation")

    def answer(self, **options: Any) -> Answer:
        tags = _tags(**options)
        if options["everything"] and not options["no_input"] and not self._confirmed():
            return Answer({"invalidated": [], "told": [], "owed": []}, ["Nothing was done."])
        using = next(iter(databases()), DEFAULT_DB_ALIAS)
        with transaction.atomic(using=using):
            invalidate(*tags, using=using)
        nodes = engine().servers.nodes
        owed = sorted(node.name for node in nodes if node.owes)
        told = sorted(node.name for node in nodes if not node.owes)
        return Answer(
            {"invalidated": tags, "told": told, "owed": owed},
            [f"{', '.join(tags)}: out of date", *_lines(told, owed)],
            _debt(owed),
        )

    def _confirmed(self) -> bool:
        if not sys.stdin.isatty():
            raise BadUsage("--everything asks for confirmation: without a terminal, add --no-input")
        answer = input(QUESTION.format(len(engine().servers.nodes)))
        return answer.strip().lower() in {"y", "yes"}


def _tags(**options: Any) -> list[str]:
    """Return what is to be invalidated. Raises BadUsage."""
    named = [*options["tags"], *options["function"]]
    if options["everything"]:
        if named:
            raise BadUsage("--everything is everything: name nothing beside it")
        return [EVERYTHING]
    if not named:
        raise BadUsage("name tags, --function or --everything")
    try:
        names = [full_name(name) for name in options["function"]]
    except UnknownName as error:
        raise BadUsage(str(error)) from error
    return [*options["tags"], *[f"{OF_FUNCTION}{name}" for name in names]]


def _lines(told: list[str], owed: list[str]) -> list[str]:
    return [*[f"  told  {name}" for name in told], *[f"  owed  {name}" for name in owed]]


def _debt(owed: list[str]) -> str:
    if not owed:
        return ""
    if engine().options.durable:
        return "A server did not answer. It is written down: a worker tells it when it is back."
    return "A server did not answer, and nothing is written down (DURABLE): say it again later."
