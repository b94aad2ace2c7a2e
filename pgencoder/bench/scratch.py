"""A schema for a benchmark's tables, and the collection on one of them, gone again when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from pgencoder.client import Database


@contextmanager
def scratch(db: Database, name: str) -> Iterator[None]:
    """An empty schema `name`; it and the collection `name` are removed afterwards, and before if a run was killed."""
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


def detach_if_there(db: Database, name: str) -> None:
    """Remove a collection, if there is one of this name."""
    if name in [each.name for each in db.collections()]:
        db.detach(name)
