"""From a change to the entries that show it: tags, and new versions for them after the commit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from weakref import WeakSet

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.caching import memo, outbox, rewriting
from apps.caching.engine import engine
from apps.caching.events import Invalidated, tell

_generations = itertools.count(1)
_generation = 0
# Those of all threads that are not over: a rollback lets go of its own without a word.
_pending_ones: WeakSet[Invalidation] = WeakSet()


def generation() -> int:
    """Return a number that grows with each invalidation that this process makes."""
    return _generation


def any_pending() -> bool:
    """Say whether any thread may have changed what it has not committed yet."""
    return bool(_pending_ones)


class Invalidation:
    """The tags of one transaction, or of one savepoint, until the commit.

    Django keeps it among its `on_commit` hooks; see `transactions.changed_tags`. Its rows in the
    outbox belong to the same transaction, so that what is rolled back leaves neither.
    """

    __qualname__ = "Invalidation"

    def __init__(self, using: str, tags: Iterable[str] = ()) -> None:
        self.using = using
        self.tags = set(tags)
        self.noted: list[int] = []
        _pending_ones.add(self)

    def add(self, tags: set[str]) -> None:
        """Take more tags, inside the transaction, and write them down."""
        self.tags |= tags
        # Past the limit a row says "everything", whatever the rows before it say.
        self.noted += outbox.note(tags if outbox.named(self.tags) else self.tags, self.using)

    def __call__(self) -> None:
        global _generation  # noqa: PLW0603 - written in one place, compared for equality only
        _generation = next(_generations)
        eng = engine()
        missing = eng.bump(eng.tag_keys(outbox.named(self.tags)))
        outbox.close(self.noted, self.tags, missing, self.using)
        tell(Invalidated(frozenset(self.tags)))
        rewriting.ask(self.tags)


def invalidate(*tags: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make every entry that has one of these tags out of date.

    It happens when the transaction on the database `using` commits, and not at all if that is
    rolled back; outside a transaction it happens now. Until then this transaction computes what
    the tags concern, so that it reads its own writes, and stores none of it.
    """
    if not tags:
        return
    memo.forget_all()
    connection = connections[using]
    if connection.connection is None or _is_between_transactions(connection):
        Invalidation(using, tags)()
        return
    pending = _pending(connection)
    new = set(tags).difference(*(hook.tags for hook in pending.values()))
    if not new:
        return
    # One hook for each savepoint: a rollback must not take the tags of another.
    hook = pending.get(frozenset(connection.savepoint_ids))
    if hook is None:
        hook = Invalidation(using)
        transaction.on_commit(hook, using=using, robust=True)
        # In front of all hooks: one that fails keeps those behind it from running, and one that
        # asks the cache is to be answered with what was committed.
        connection.run_on_commit.insert(0, connection.run_on_commit.pop())
    hook.add(new)


def _is_between_transactions(connection: BaseDatabaseWrapper) -> bool:
    # What `on_commit` finds out too, but it connects to the database for that.
    return connection.autocommit and not connection.in_atomic_block


def changed(*objects: models.Model) -> None:
    """Make every entry that shows one of these objects out of date, at commit.

    The tags are those of `obj.cache_tags()`, or `<model>:<pk>` of a model without that method.
    Call it in the transaction of the change, with the row still there: before a delete, and again
    after an update that moves the object from one tag to another. Outside a transaction it must
    come after the change: a reader between the two would give the old value the new versions.
    """
    by_database: dict[str, list[str]] = {}
    for obj in objects:
        using = obj._state.db or DEFAULT_DB_ALIAS  # noqa: SLF001 - Django documents it
        by_database.setdefault(using, []).extend(tags_of(obj))
    for using, tags in by_database.items():
        invalidate(*tags, using=using)


def tags_of(obj: models.Model) -> list[str]:
    """Return the tags of everything that shows `obj`. Raises ValueError if it has no key."""
    if obj.pk is None:
        raise ValueError(f"{obj!r} has no primary key: call changed() before it is deleted")
    if hasattr(obj, "cache_tags"):
        tags: Iterable[str] = obj.cache_tags()
        return list(tags)
    options = obj._meta
    return [f"{options.model_name}:{obj.pk}"]


def _pending(connection: BaseDatabaseWrapper) -> dict[frozenset[str], Invalidation]:
    """Return the hooks that are lost only if what is done now is lost too, by their savepoints."""
    here = set(connection.savepoint_ids)
    return {
        frozenset(held): hook
        for held, hook, *_ in connection.run_on_commit
        if isinstance(hook, Invalidation) and held <= here
    }
