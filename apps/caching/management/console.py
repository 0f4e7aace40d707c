"""What the commands of the cache have in common."""

from __future__ import annotations

from abc import abstractmethod
from argparse import RawDescriptionHelpFormatter
from dataclasses import dataclass
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

FOUND_WRONG, BAD_USAGE = 1, 2
ENDS_WITH = "Ends with 0 when all is well, 1 when something was found wrong, 2 when used wrongly."


class BadUsage(CommandError):
    """What was typed cannot be done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=BAD_USAGE)


@dataclass(frozen=True)
class Answer:
    """What a command found out: for programs, for people, and what is wrong with it."""

    document: dict[str, Any]
    lines: list[str]
    wrong: str = ""


class CacheCommand(BaseCommand):
    """A command that answers with tables, or one JSON document, and by its exit code."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault("epilog", ENDS_WITH)
        # The examples in a help stand as they were written.
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        answer = self.answer(**options)
        if options["json"]:
            self.stdout.write(msgspec.json.encode(answer.document, enc_hook=repr).decode())
        else:
            self.stdout.write("\n".join(answer.lines))
        if answer.wrong:
            raise CommandError(answer.wrong, returncode=FOUND_WRONG)

    @abstractmethod
    def answer(self, **options: Any) -> Answer:
        """Do what was asked. Raises BadUsage."""
