"""Invalidations that outlive the process that owes them.

The tags are written into the database by the very transaction that changes the data: they are
there if, and only if, the change is. Who has brought the new versions to the servers deletes the
row; what a process leaves behind, killed or cut off, is brought by `sweeping`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.models import Count, Min
from django.utils import timezone

from apps.caching.engine import engine

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.caching.models import Undelivered

logger = logging.getLogger(__name__)
# More in one transaction than anybody will name one by one: everything is out of date instead.
MANY_TAGS = 500
# Half the time of a model's `save`, and it is on the way of every change.
INSERT = "INSERT INTO caching_undelivered (tags) VALUES (%s::jsonb) RETURNING id"
# The commit of this statement does not wait for the disk: the worst that a power cut can do is to
# bring the row back, and then the tags get new versions once more. It must be the condition of the
# DELETE that sets it, for PostgreSQL does not run a WITH that nothing reads.
DELETE = (
    "DELETE FROM caching_undelivered WHERE id = ANY(%s)"
    " AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
)


def rows(using: str) -> QuerySet[Undelivered]:
    from apps.caching.models import Undelivered  # noqa: PLC0415 - the front door is read before

    return Undelivered.objects.using(using)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many rows wait, and for how many seconds the oldest."""

    number: int
    oldest: float


def waiting() -> dict[str, Waiting]:
    """Return what waits to be delivered, by server; "" is what nobody has tried. {}: unknown."""
    from apps.caching.sweeping import databases  # noqa: PLC0415 - which delivers what is here

    found: dict[str, Waiting] = {}
    try:
        for using in databases():
            grouped = rows(using).values_list("server").annotate(Count("pk"), Min("created_at"))
            for server, number, since in grouped:
                oldest = (timezone.now() - since).total_seconds()
                known = found.get(server, Waiting(number=0, oldest=0.0))
                found[server] = Waiting(
                    number=known.number + number, oldest=max(known.oldest, oldest)
                )
    except DatabaseError:
        logger.warning("the database does not tell what is undelivered", exc_info=True)
    return found


def note(tags: Iterable[str], using: str) -> list[int]:
    """Write the tags down in the open transaction; return the row, if there is one to write."""
    connection = connections[using]
    if not engine().options.durable or connection.needs_rollback:
        return []
    if connection.vendor != "postgresql":
        return [rows(using).create(tags=named(tags)).pk]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [json.dumps(named(tags))])
        return [pk for (pk,) in cursor.fetchall()]


def close(noted: Sequence[int], tags: Iterable[str], missing: Iterable[str], using: str) -> None:
    """After the commit: forget what was noted, but remember which servers are `missing` it.

    Never raises, for the change is committed: a row that stays is swept, and bumped once more.
    """
    names = list(missing) if engine().options.durable else []
    if not noted and not names:
        return
    try:
        if names:
            _hand_over(noted, named(tags), names, using)
        else:
            _delete(noted, using)
    except Exception:
        logger.exception("an invalidation could not be written down or crossed out")


def named(tags: Iterable[str]) -> list[str]:
    """Return the tags as a row holds them: none stands for everything."""
    listed = sorted(set(tags))
    return listed if len(listed) <= MANY_TAGS else []


def _hand_over(noted: Sequence[int], tags: list[str], servers: list[str], using: str) -> None:
    with transaction.atomic(using=using):
        rows(using).bulk_create([_row(tags, name) for name in servers])
        rows(using).filter(pk__in=noted).delete()


def _row(tags: list[str], server: str) -> Undelivered:
    from apps.caching.models import Undelivered  # noqa: PLC0415

    return Undelivered(tags=tags, server=server)


def _delete(noted: Sequence[int], using: str) -> None:
    connection = connections[using]
    if connection.vendor != "postgresql":
        rows(using).filter(pk__in=noted).delete()
        return
    with connection.cursor() as cursor:
        cursor.execute(DELETE, [list(noted)])
