"""What the site leans on, one short look each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps import caching
from apps.operations.selectors.inspection import LIMIT, Probe


class MigrationsMissing(Exception):
    """The tables are older than the code: run `manage.py migrate`."""


def _then_hang_up(check: Callable[[], None]) -> Callable[[], None]:
    """Close the database connection of the probe's thread: nobody would use it again."""

    @wraps(check)
    def checked() -> None:
        try:
            check()
        finally:
            connection.close()

    return checked


@_then_hang_up
def see_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@_then_hang_up
def see_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsMissing


def see_cache() -> None:
    caching.ping()


def see_broker() -> None:
    with current_app.connection_for_write(connect_timeout=LIMIT) as broker:
        broker.ensure_connection(max_retries=1)
        # Redis connects only when a channel is opened.
        broker.default_channel  # noqa: B018


def see_media() -> None:
    """Write a file: a folder may be there and still be full, or be mounted read-only."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=root) as file:
        file.write(b"?")


PROBES = (
    Probe(name="database", check=see_database),
    Probe(name="migrations", check=see_migrations),
    Probe(name="cache", check=see_cache, required=False),
    Probe(name="broker", check=see_broker),
    Probe(name="media", check=see_media),
)
