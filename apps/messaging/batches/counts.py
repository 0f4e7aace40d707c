"""Add many counts to their rows in one statement, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models, router

ADD = """
WITH told AS (SELECT * FROM unnest({told}, %s::bigint[]) AS told ({columns}, {count})){alive}
INSERT INTO {table} AS kept ({columns}, {count})
SELECT told.* FROM told{joins} ORDER BY {columns}
ON CONFLICT ({columns}) DO UPDATE SET {count} = kept.{count} + excluded.{count}
"""
# What a key points to, and is there, is kept from being deleted until the end: foreign keys hold.
ALIVE = """,
{name} AS MATERIALIZED (
    SELECT {key} AS key FROM {other} WHERE {key} IN (SELECT {name} FROM told)
    ORDER BY 1 FOR KEY SHARE
)"""
JOIN = " JOIN {name} ON {name}.key = told.{name}"


def add_counts(
    model: type[models.Model],
    counts: Mapping[tuple[Any, ...], int],
    *,
    by: Sequence[str],
    column: str = "count",
) -> None:
    """Add to the rows that these keys name, and make those that are missing. One write.

    `by` names the fields of the key, which a constraint must hold to be unique. Rows are written
    in the order of their keys, so that two writers never wait for each other; a count whose key
    names a row of another table that is gone goes with it.
    """
    if not counts:
        return
    connection = connections[router.db_for_write(model)]
    values = [*map(list, zip(*counts, strict=True)), list(counts.values())]
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection, model, by, column), values)


def _statement(connection: Any, model: type[models.Model], by: Sequence[str], column: str) -> str:
    quote = connection.ops.quote_name
    fields = [_field(model, name) for name in by]
    names = [quote(field.column) for field in fields]
    told = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    alive, joins = (
        "".join(
            part.format(
                key=quote(field.target_field.column),
                other=quote(field.related_model._meta.db_table),
                name=quote(field.column),
            )
            for field in fields
            if field.is_relation
        )
        for part in (ALIVE, JOIN)
    )
    # Only names of tables and columns, quoted, are put together here; all values are parameters.
    return ADD.format(
        told=told,
        alive=alive,
        joins=joins,
        table=quote(model._meta.db_table),
        columns=", ".join(names),
        count=quote(_field(model, column).column),
    )


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)
