"""What a verb is, and what it has at hand."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.core.management.base import CommandError, OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder

# Exit codes, for scripts.
WELL, ILL, UNKNOWN, TIMED_OUT = 0, 1, 3, 4
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Console(msgspec.Struct, frozen=True):
    """Where a verb writes, and how it asks."""

    out: OutputWrapper
    as_json: bool = False
    may_ask: bool = True

    def say(self, line: str) -> None:
        """Write a line for people; nothing where a program reads."""
        if not self.as_json:
            self.out.write(line)

    def tell(self, document: object) -> None:
        """Write the document for a program; nothing where people read."""
        if self.as_json:
            self.out.write(json.dumps(document, cls=DjangoJSONEncoder, sort_keys=True))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows in columns, numbers to the right."""
        lines = [head, *([_cell(value) for value in row] for row in rows)]
        widths = [max(len(str(cell)) for cell in column) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = [
                cell.rjust(width) if cell.replace(".", "").isdigit() else cell.ljust(width)
                for cell, width in zip(map(str, line), widths, strict=True)
            ]
            self.say("  ".join(cells).rstrip())

    def be_sure(self, question: str) -> None:
        """Ask before what cannot be undone. Raises CommandError unless the answer is yes."""
        if not self.may_ask:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to ask: say --no-input.", returncode=ILL)
        if input(f"{question} Type yes to go on: ").strip().lower() != "yes":
            raise CommandError("Nothing was changed.", returncode=ILL)


class Verb(msgspec.Struct, frozen=True):
    """One verb: `run` returns the exit code."""

    name: str
    help: str
    run: Callable[[Console, dict[str, Any]], int]
    add_arguments: Callable[[ArgumentParser], None] = lambda parser: None  # noqa: ARG005


def duration(text: str) -> timedelta:
    """Read `90`, `30m`, `2h` or `7d`."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        return timedelta(seconds=float(number) * _UNITS[unit])
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(f"{text!r} is no duration: 90, 30m, 2h or 7d") from error


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case float():
            return f"{value:.1f}"
        case _:
            return str(value)
