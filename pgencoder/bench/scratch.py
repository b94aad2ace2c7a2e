"""Creates the schema, tables and collection of a benchmark, and removes them at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from pgencoder.database import Database
from pgencoder.statements import identifier, query, raw


@contextmanager
def scratch(db: Database, name: str) -> Iterator[None]:
    """Create an empty schema `name`, and remove it and the collection `name` at the end.

    If an earlier run was killed, its schema and collection are removed first.
    """
    _remove(db, name)
    with db.connection() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    try:
        yield
    finally:
        _remove(db, name)


def _remove(db: Database, name: str) -> None:
    detach_if_there(db, name)
    with db.connection() as connection:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def create_rows(db: Database, schema: str, table: str, rows: int, body: str) -> None:
    """Create a table with the columns id and body, and fill it; `body` is an SQL expression of the row number i."""
    with db.connection() as connection:
        connection.execute(
            query("bench_rows").format(table=identifier(schema, table), rows=sql.Literal(rows), body=raw(body))
        )


def detach_if_there(db: Database, name: str) -> None:
    """Remove the collection `name` if it exists."""
    if name in [each.name for each in db.collections()]:
        db.detach(name)
