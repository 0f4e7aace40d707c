"""What a block asked of the database and of the cache."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections

from apps.caching.events import Event, Trip, listening

TABLE = re.compile(r'(?:FROM|INTO|UPDATE|JOIN) "?(\w+)', re.IGNORECASE)


class Trace:
    """What a block did, in order: `lines` are made to be a snapshot that a person reviews.

    `SELECT shop_order shop_customer` is a query, `get shop.card*12 shop.popular +31 tags` a
    round trip to the cache.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.queries: list[str] = []
        self.trips: list[Trip] = []

    def execute(self, run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Note a query and run it: a Django execute wrapper."""
        self.queries.append(sql)
        tables = " ".join(dict.fromkeys(TABLE.findall(sql)))
        self.lines.append(f"{sql.split(maxsplit=1)[0]} {tables}".strip())
        return run(sql, *rest)

    def hear(self, event: Event) -> None:
        if isinstance(event, Trip):
            self.trips.append(event)
            self.lines.append(_line(event))


@contextmanager
def trace() -> Iterator[Trace]:
    """Record the queries of this thread and the round trips to the cache inside the block."""
    seen = Trace()
    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(seen.execute))
        stack.enter_context(listening(seen.hear))
        yield seen


def _line(trip: Trip) -> str:
    entries, others = Counter[str](), Counter[str]()
    for key in trip.keys:
        _, kind, *rest = key.split(":")
        if kind == "s":
            others["reports"] += 1
        elif kind in {"t", "f", "e"}:
            others["tags"] += 1
        elif kind == "l":
            others["leases"] += 1
        else:
            entries[":".join(rest[:-1])] += 1
    names = [
        name if number == 1 else f"{name}*{number}" for name, number in sorted(entries.items())
    ]
    more = [f"+{number} {what}" for what, number in sorted(others.items())]
    return " ".join([trip.verb, *names, *more])
