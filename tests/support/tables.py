"""Empty tables after a test that committed, in a few milliseconds rather than a hundred.

Django truncates every table, which gives each a new file, and makes all permissions anew. Here only
the tables that hold rows lose them, and the rows that migrations leave behind for everybody stay.
Sequences go on, as they do in Django unless a test asks for `reset_sequences`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import TransactionTestCase

# As a replica applies what it is sent: no trigger runs and no foreign key is checked. The tables
# that are left out are made by `migrate` from the models, and no test changes them.
EMPTY = """
SET LOCAL session_replication_role = replica;
DO $$
DECLARE
    name text;
    holds_rows boolean;
BEGIN
    FOR name IN
        SELECT tablename FROM pg_tables
        WHERE schemaname = 'public'
          AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO holds_rows;
        IF holds_rows THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


def empty_tables(alias: str = "default") -> None:
    """Delete all rows that no migration made, in one round trip. Needs a superuser."""
    with connections[alias].cursor() as cursor:
        # Without parameters psycopg sends all of it as one simple query: one transaction.
        cursor.execute(EMPTY)


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    """Let tests that commit be cleaned up by `empty_tables`."""

    def clean_up(self: Any) -> None:
        for alias in self._databases_names(include_mirrors=False):
            empty_tables(alias)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", clean_up)
        yield
