from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from django.core.management.base import CommandParser

from apps.caching.figures import Figures, figures
from apps.caching.health import see_servers
from apps.caching.management.console import Answer, BadUsage, CacheCommand
from apps.caching.management.tables import Cell, share, size, span, table
from apps.caching.outbox import Waiting, waiting
from apps.caching.reporting import Report, collect, since, totals

SERVER_HEAD = ["server", "", "timed out", "refused", "owed", "owed now", "in the database", "swept"]
FUNCTION_HEAD = [
    "function", "hits", "stale", "misses", "hit %", "waits", "computed", "mean", "spent", "saved",
    "read", "written",
]  # fmt: skip
CAUSE_HEAD = [
    "why not a hit", "absent", "outdated", "unreadable", "server away", "changed here", "raised",
    "not stored",
]  # fmt: skip
LONG = 60.0
NOTHING = Waiting(number=0, oldest=0.0)


class Command(CacheCommand):
    help = (
        "Show what the cached functions and the servers counted, over all processes that ran\n"
        "lately. Each counts from its start, so nothing can be set to zero: --during counts from\n"
        "now on, as exactly as processes report (REPORT_SECONDS).\n\n"
        "  manage.py cache_stats\n"
        "  manage.py cache_stats --during 60\n"
        "  manage.py cache_stats --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--during", type=float, metavar="SECONDS", help="count for so long, from now on"
        )

    def answer(self, **options: Any) -> Answer:
        reports = _reports(options["during"])
        counted = totals(report.counted for report in reports)
        functions = {name: figures(one) for name, one in counted.items()}
        servers, owed = _servers(reports), waiting()
        document = {
            "processes": sorted(report.process for report in reports),
            "servers": servers,
            "undelivered": {name: msgspec.to_builtins(one) for name, one in owed.items()},
            "functions": {
                name: {**counted[name], **msgspec.to_builtins(one)}
                for name, one in functions.items()
            },
        }
        lines = list(_tell(len(reports), servers, owed, functions))
        return Answer(document, lines, _wrong(servers, owed))


def _reports(during: float | None) -> list[Report]:
    if during is None:
        return collect()
    if during <= 0:
        raise BadUsage("--during is a number of seconds")
    before = collect()
    time.sleep(during)
    return since(before, collect())


def _servers(reports: Sequence[Report]) -> dict[str, dict[str, float]]:
    """Return what is known of each server, those included that only other processes know."""
    told = totals(report.servers for report in reports)
    answers = see_servers()
    return {
        name: {**told.get(name, {}), "answers": answers.get(name, False)}
        for name in dict.fromkeys([*answers, *told])
    }


def _wrong(servers: Mapping[str, Mapping[str, float]], owed: Mapping[str, Waiting]) -> str:
    away = [name for name, told in servers.items() if not told["answers"]]
    if away:
        return f"{', '.join(away)} does not answer."
    if any(one.oldest > LONG for one in owed.values()):
        return "Invalidations wait in the database for more than a minute: does a worker run?"
    return ""


def _tell(
    number: int,
    servers: Mapping[str, Mapping[str, float]],
    owed: Mapping[str, Waiting],
    functions: Mapping[str, Figures],
) -> Iterator[str]:
    yield f"{number} processes reported"
    yield ""
    yield from table(
        SERVER_HEAD,
        [_server_row(name, told, owed.get(name, NOTHING)) for name, told in servers.items()],
    )
    if "" in owed:
        yield f"{owed[''].number} more in the database name no server: nobody has tried yet."
    if functions:
        yield ""
        yield from table(
            FUNCTION_HEAD,
            [_function_row(name, one) for name, one in functions.items()],
        )
        yield ""
        yield from table(
            CAUSE_HEAD,
            [_cause_row(name, one) for name, one in functions.items()],
        )


def _server_row(name: str, told: Mapping[str, float], owed: Waiting) -> list[Cell]:
    return [
        name,
        "answers" if told["answers"] else "is away",
        int(told.get("away", 0)),
        int(told.get("refused", 0)),
        int(told.get("owed", 0)),
        int(told.get("owed_now", 0)),
        owed.number,
        int(told.get("swept", 0)),
    ]


def _function_row(name: str, one: Figures) -> list[Cell]:
    answered = one.hits + one.stale
    return [
        name,
        one.hits,
        one.stale,
        one.misses,
        share(answered, answered + one.misses),
        one.waits,
        one.computations,
        span(one.mean_seconds) if one.mean_seconds is not None else None,
        span(one.seconds_computing),
        span(one.seconds_saved) if one.seconds_saved is not None else None,
        size(one.bytes_read),
        size(one.bytes_written),
    ]


def _cause_row(name: str, one: Figures) -> list[Cell]:
    return [
        name,
        one.absent,
        one.outdated,
        one.unreadable,
        one.away,
        one.bypassed,
        one.raised,
        one.not_stored,
    ]
