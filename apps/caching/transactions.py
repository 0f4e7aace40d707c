"""What an open transaction forbids: reading what it has changed, storing what only it can see."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.caching.invalidation import Invalidation, any_pending

# One round trip to the database, and only for a computation inside a transaction: PostgreSQL
# itself says whether this transaction has written and whether it looks at an old snapshot.
QUESTION = (
    "SELECT pg_current_xact_id_if_assigned() IS NULL"
    " AND current_setting('transaction_isolation') = 'read committed'"
)


def changed_tags() -> set[str]:
    """Return the tags that the open transactions of this thread will invalidate.

    They are read from the hooks that Django keeps for the commit, so a rollback, also to a
    savepoint, takes them back without our doing.
    """
    if not any_pending():
        return set()
    return {
        tag
        for connection in connections.all(initialized_only=True)
        for _, hook, *_ in connection.run_on_commit
        if isinstance(hook, Invalidation)
        for tag in hook.tags
    }


def has_changed(tags: Iterable[str]) -> bool:
    changed = changed_tags()
    return bool(changed) and not changed.isdisjoint(tags)


def others_see_the_same() -> bool:
    """Say whether what this thread reads now is what every later reader would see, or older.

    Not so after a write that is not committed yet, nor in a snapshot (REPEATABLE READ, SQLite):
    it may be older than the versions that would be stamped on the value.
    """
    return all(
        _sees_the_committed(connection)
        for connection in connections.all(initialized_only=True)
        # Without autocommit there is always a transaction, with or without a block.
        if connection.in_atomic_block or not connection.autocommit
    )


def _sees_the_committed(connection: BaseDatabaseWrapper) -> bool:
    if connection.connection is None:
        return True
    if connection.vendor != "postgresql" or connection.needs_rollback:
        return False
    try:
        # Past Django's cursor: this is no query of the page.
        with connection.connection.cursor() as cursor:
            row = cursor.execute(QUESTION).fetchone()
    except Exception:  # noqa: BLE001 - the driver's own errors; whatever it is, do not store
        return False
    return bool(row and row[0])
