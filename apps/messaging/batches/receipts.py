"""Which messages are folded: one row for each producer, whatever it sends.

A message may come twice: its worker was killed after the flush and before the acknowledgement, or
its producer did not hear that the broker had it. Its number is then in the row already. The rows
are taken in the order of their ids, so two workers that flush at once wait, and never for each
other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from apps.messaging.batches.envelope import Message
from apps.messaging.batches.models import Producer

# Longer than a broker keeps a message that it gave to somebody and got no answer for.
KEEP = timedelta(days=7)

TAKE = """
INSERT INTO messaging_producer AS kept (id, name, folded, previous, dropped, seen_at)
SELECT id, name, folded::int8multirange, '{}', dropped, statement_timestamp()
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[]) AS told (id, name, folded, dropped)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    previous = kept.folded,
    folded = kept.folded + excluded.folded,
    dropped = greatest(kept.dropped, excluded.dropped),
    seen_at = statement_timestamp()
RETURNING id, previous
"""


def take(messages: Iterable[Message]) -> set[tuple[UUID, int]]:
    """Note that these are folded, in the caller's transaction; return those that were not."""
    told: dict[UUID, list[Message]] = {}
    for message in messages:
        told.setdefault(message.producer, []).append(message)
    columns = (
        list(told),
        [those[-1].name for those in told.values()],
        [_ranges(message.number for message in those) for those in told.values()],
        [max(message.dropped for message in those) for those in told.values()],
    )
    with connection.cursor() as cursor:
        cursor.execute(TAKE, columns)
        previous: Sequence[tuple[UUID, Multirange[int]]] = cursor.fetchall()
    return {
        (producer, message.number)
        for producer, numbers in previous
        for message in told[producer]
        if not _holds(numbers, message.number)
    }


def prune() -> int:
    """Forget the producers that have been silent for so long that nothing of theirs can come."""
    deleted, _ = Producer.objects.filter(seen_at__lt=Now() - KEEP).delete()
    return deleted


def _ranges(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads a multirange; it joins what touches."""
    ranges = ",".join(f"[{number},{number + 1})" for number in sorted(set(numbers)))
    return f"{{{ranges}}}"


def _holds(numbers: Multirange[int], number: int) -> bool:
    ranges: Iterable[Range[int]] = numbers
    return any(number in one for one in ranges)
