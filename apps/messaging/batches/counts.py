"""Add many counts to their rows in one statement, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models, router


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
    count = quote(_field(model, column).column)
    told = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    # Whose row is there is kept from being deleted until the end: the foreign keys then hold.
    alive = [
        f", alive_{number} AS MATERIALIZED ("
        f"SELECT {quote(field.target_field.column)} AS key"
        f" FROM {quote(field.related_model._meta.db_table)}"
        f" WHERE {quote(field.target_field.column)} IN (SELECT {names[number]} FROM told)"
        f" ORDER BY 1 FOR KEY SHARE)"
        for number, field in enumerate(fields)
        if field.is_relation
    ]
    joins = [
        f" JOIN alive_{number} ON alive_{number}.key = told.{names[number]}"
        for number, field in enumerate(fields)
        if field.is_relation
    ]
    columns = ", ".join(names)
    # Only names of models and columns, quoted, are put together here; all values are parameters.
    return (
        f"WITH told AS (SELECT * FROM unnest({told}, %s::bigint[]) AS t ({columns}, {count}))"  # noqa: S608
        f"{''.join(alive)}"
        f" INSERT INTO {quote(model._meta.db_table)} AS kept ({columns}, {count})"
        f" SELECT told.* FROM told{''.join(joins)} ORDER BY {columns}"
        f" ON CONFLICT ({columns}) DO UPDATE SET {count} = kept.{count} + excluded.{count}"
    )


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)
