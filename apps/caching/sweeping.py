"""Delivering what other processes left undelivered: from the outbox to the servers.

Done every few seconds by a thread of each worker, once by a server process before it serves, and
for one server by every process that had lost sight of it, before it reads from it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connections, router, transaction
from django.db.models.functions import Now

from apps.caching.engine import engine
from apps.caching.node import Node
from apps.caching.outbox import named, rows
from apps.caching.reporting import ensure_reporting
from apps.caching.stats import count_on

if TYPE_CHECKING:
    from apps.caching.models import Undelivered

logger = logging.getLogger(__name__)
BATCH = 200
# Who writes a row deletes it some milliseconds after the commit, if nothing happens to him.
GRACE = timedelta(seconds=1)


def sweep(*, grace: timedelta = GRACE) -> int:
    """Deliver the rows that are older than `grace`; return how many are gone.

    Rows that another process has in hand are left to it. Raises what the database raises.
    """
    gone = 0
    for using in databases():
        if rows(using).exists():
            gone += _sweep_abandoned(using, grace) + _drop_strangers(using)
            gone += sum(_deliver_owed(node, using, wait=False) for node in engine().servers.nodes)
    if gone:
        ensure_reporting()
        logger.info("%d invalidations were delivered for others", gone)
    return gone


def catch_up(node: Node) -> bool:
    """Deliver to one server everything that it may lack; say whether that was possible.

    After it, no entry of that server is older than what was committed before the call. It runs in
    a thread of its own and closes the connections of that. Raises what the database raises.
    """
    try:
        return all(_deliver_all(node, using) for using in databases())
    finally:
        connections.close_all()


def sweep_at_start() -> None:
    """Sweep once, whatever the age of the rows: before a server process takes its first request.

    When everything was killed at once, nobody else delivers what the dead owed. Never raises.
    """
    if not engine().options.durable:
        return
    already_open = [one for one in connections.all() if one.connection is not None]
    try:
        sweep(grace=timedelta(0))
    except Exception:
        logger.exception("the invalidations of earlier processes could not be delivered")
    for connection in connections.all():
        if connection not in already_open:
            connection.close()


def databases() -> list[str]:
    """Return the databases that hold an outbox, by the routers of the site."""
    from apps.caching.models import Undelivered  # noqa: PLC0415 - after the apps are loaded

    return [name for name in connections if router.allow_migrate_model(name, Undelivered)]


def _deliver_all(node: Node, using: str) -> bool:
    # Those that name no server are in the hands of a process that lives, or wait for a sweep: we
    # need their versions now and leave the rows alone.
    unnamed = list(rows(using).filter(server=""))
    if unnamed and not node.deliver(_keys(unnamed)):
        return False
    _deliver_owed(node, using, wait=True)
    return not rows(using).filter(server=node.name).exists()


def _sweep_abandoned(using: str, grace: timedelta) -> int:
    """Bump what nobody has bumped. A server that is away gets a row of its own."""
    gone, full = 0, True
    while full:
        with transaction.atomic(using=using):
            old = rows(using).filter(server="", created_at__lte=Now() - grace)
            batch = list(old.order_by("pk").select_for_update(skip_locked=True)[:BATCH])
            if batch:
                tags = _tags(batch)
                missing = engine().bump(engine().tag_keys(tags))
                for server in missing:
                    rows(using).create(tags=tags, server=server)
                _count_swept(len(batch), missing)
                gone += _delete(batch, using)
        full = len(batch) == BATCH
    return gone


def _deliver_owed(node: Node, using: str, *, wait: bool) -> int:
    """Deliver the rows that name this server, as long as it answers."""
    gone, full = 0, True
    while full:
        with transaction.atomic(using=using):
            owed = rows(using).filter(server=node.name).order_by("pk")
            batch = list(owed.select_for_update(skip_locked=not wait)[:BATCH])
            if not batch or not node.deliver(_keys(batch)):
                return gone
            count_on(node.name, "swept", len(batch))
            gone += _delete(batch, using)
        full = len(batch) == BATCH
    return gone


def _drop_strangers(using: str) -> int:
    """Forget what is owed to servers that the site has no more."""
    known = ["", *(node.name for node in engine().servers.nodes)]
    gone, _ = rows(using).exclude(server__in=known).delete()
    if gone:
        logger.warning("%d invalidations for servers that are in SERVERS no more: dropped", gone)
    return gone


def _count_swept(number: int, missing: Iterable[str]) -> None:
    for node in engine().servers.nodes:
        if node.name not in missing:
            count_on(node.name, "swept", number)


def _tags(batch: Iterable[Undelivered]) -> list[str]:
    everything = any(not row.tags for row in batch)
    return [] if everything else named(tag for row in batch for tag in row.tags)


def _keys(batch: Iterable[Undelivered]) -> list[str]:
    return engine().tag_keys(_tags(batch))


def _delete(batch: Iterable[Undelivered], using: str) -> int:
    return rows(using).filter(pk__in=[row.pk for row in batch]).delete()[0]
