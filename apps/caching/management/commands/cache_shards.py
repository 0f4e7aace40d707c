from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from apps.caching.management.console import Answer, BadUsage, CacheCommand
from apps.caching.management.tables import Cell, number, share, size, span, table
from apps.caching.surveying import ENOUGH, Moves, ServerSurvey, moves, server_name, survey

MOST_FUNCTIONS = 15
UNCOUNTED = "Not every server lists its keys, so the share is that of a sample of made-up ones."


class Command(CacheCommand):
    help = (
        "Show which server holds how many entries, how the servers fare and what is wrong with\n"
        "them; and what would move if a server came or went.\n\n"
        "  manage.py cache_shards\n"
        "  manage.py cache_shards --add redis://new:6379/0\n"
        "  manage.py cache_shards --remove memcached://old:11211 --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for word, what in (("--add", "came"), ("--remove", "went")):
            parser.add_argument(
                word,
                action="append",
                default=[],
                metavar="URL",
                help=f"what would move if this server {what}; may be given more than once",
            )
        parser.add_argument(
            "--at-most",
            type=int,
            default=ENOUGH,
            metavar="KEYS",
            help=f"look at so many keys of each server (default: {ENOUGH})",
        )

    def answer(self, **options: Any) -> Answer:
        if options["at_most"] < 1:
            raise BadUsage("--at-most is a number of keys, 1 or more")
        servers, keys = survey(enough=options["at_most"])
        names = [server.name for server in servers]
        wanted = _wanted(names, options["add"], options["remove"])
        plan = moves(keys, names, wanted) if wanted != names else None
        shares = moves(keys if _counted(servers) else [], names, names)
        document = {
            "servers": [asdict(server) for server in servers],
            "shares": {"sampled": shares.sampled, "keys": shares.before},
            "moves": asdict(plan) if plan else None,
        }
        wrong = [server.name for server in servers if server.concerns]
        lines = list(_tell(servers, shares, plan))
        return Answer(document, lines, f"Look at {', '.join(wrong)}." if wrong else "")


def _wanted(names: Sequence[str], added: Sequence[str], removed: Sequence[str]) -> list[str]:
    """Return the names of the servers that there would be. Raises BadUsage."""
    try:
        coming, going = [server_name(url) for url in added], [server_name(url) for url in removed]
    except ValueError as error:
        raise BadUsage(str(error)) from error
    if known := set(coming) & set(names):
        raise BadUsage(f"{', '.join(sorted(known))} is there already")
    if unknown := set(going) - set(names):
        raise BadUsage(f"{', '.join(sorted(unknown))} is none of {', '.join(names)}")
    wanted = [name for name in dict.fromkeys([*names, *coming]) if name not in going]
    if not wanted:
        raise BadUsage("no server would be left")
    return wanted


def _counted(servers: Sequence[ServerSurvey]) -> bool:
    return all(server.entries is not None for server in servers)


def _tell(servers: Sequence[ServerSurvey], shares: Moves, plan: Moves | None) -> Iterator[str]:
    yield from table(
        ["server", "entries", "share", "tags and such", "of older releases", "misplaced"],
        [_share_row(server, shares) for server in servers],
    )
    if shares.sampled:
        yield UNCOUNTED if not _counted(servers) else "There are no entries: a sample was placed."
    if incomplete := [server.name for server in servers if not server.complete]:
        yield f"Only the first keys of {', '.join(incomplete)} were looked at: see --at-most."
    yield ""
    yield from table(
        ["server", "software", "up", "memory", "limit", "policy", "items", "evicted", "hits"],
        [_fact_row(server) for server in servers],
    )
    yield from _tell_functions(servers)
    if plan is not None:
        yield ""
        yield from _tell_moves(plan)
    yield from _tell_concerns(servers)


def _share_row(server: ServerSurvey, shares: Moves) -> list[Cell]:
    if server.entries is None:
        return [server.name, None, share(shares.before[server.name], shares.keys), None, None, None]
    return [
        server.name,
        server.entries,
        share(shares.before[server.name], shares.keys),
        server.bookkeeping,
        server.older,
        server.misplaced,
    ]


def _fact_row(server: ServerSurvey) -> list[Cell]:
    facts = server.facts
    if facts is None or not server.answers:
        return [server.name, "does not answer", *[None] * 7]
    asked = (facts.hits or 0) + (facts.misses or 0)
    return [
        server.name,
        facts.software,
        span(facts.uptime) if facts.uptime is not None else None,
        size(facts.memory_used) if facts.memory_used is not None else None,
        size(facts.memory_limit) if facts.memory_limit else None,
        facts.policy,
        facts.items,
        facts.evictions,
        share(facts.hits, asked) if facts.hits is not None else None,
    ]


def _tell_functions(servers: Sequence[ServerSurvey]) -> Iterator[str]:
    total = sum((server.by_function for server in servers), Counter[str]())
    if not total:
        return
    rows: list[list[Cell]] = [
        [name, count, *[server.by_function[name] for server in servers]]
        for name, count in total.most_common(MOST_FUNCTIONS)
    ]
    yield ""
    yield from table(["function", "entries", *[server.name for server in servers]], rows)
    if len(total) > MOST_FUNCTIONS:
        yield f"and {len(total) - MOST_FUNCTIONS} functions with fewer: see --json"


def _tell_moves(plan: Moves) -> Iterator[str]:
    what = "made-up keys, for there are no entries" if plan.sampled else "entries"
    yield (
        f"{share(plan.moved, plan.keys)} of {number(plan.keys)} {what} would move,"
        f" {plan.between_old} of them between servers that stay."
    )
    rows: list[list[Cell]] = [
        [name, plan.before.get(name, 0), plan.after.get(name, 0)]
        for name in dict.fromkeys([*plan.before, *plan.after])
    ]
    yield from table(["server", "now", "then"], rows)
    yield "What moves is computed anew. Change the list in all processes at once: see the docs."


def _tell_concerns(servers: Sequence[ServerSurvey]) -> Iterator[str]:
    concerns = [(server.name, concern) for server in servers for concern in server.concerns]
    if concerns:
        yield ""
    for name, concern in concerns:
        yield f"! {name}: {concern}"
