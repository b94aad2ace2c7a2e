"""Locks that only those can hold who may change what is locked, and the names of those who do.

An advisory lock can be taken by every role, and kept. A table or row can be locked only by a role that may write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql

from pgencoder.db.connection import Connection, connected
from pgencoder.db.executor import Executor
from pgencoder.errors import InUse
from pgencoder.sql import SCHEMA, own, query

PATIENCE = "30s"


def lock_migrations(connection: Connection) -> None:
    """Keep other migrations and `use_kernel` out until the transaction ends; a schema without tables has no lock."""
    row = connection.execute("SELECT pg_catalog.to_regclass('pgencoder.revision') IS NOT NULL").fetchone()
    if row == (True,):
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(own("revision")))


def lock_collection(connection: Executor, name: str, *, shared: bool = False) -> None:
    """Keep the generations of a collection as they are until the transaction ends; `shared` excludes only changes.

    A worker may update two columns of a generation and so may lock its row, shared, which does not stop such updates.
    Raises InUse where others hold the lock for too long.
    """
    strength = sql.SQL("KEY SHARE" if shared else "UPDATE")
    statement = sql.SQL(
        "SELECT g.number FROM {} AS g WHERE g.collection OPERATOR(pg_catalog.=) {} ORDER BY g.number FOR {}"
    ).format(own("generation"), sql.Literal(name), strength)
    if shared:
        connection.execute(statement)
        return
    before = connection.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchone()
    try:
        with connection.transaction():
            limit_waiting(connection)
            connection.execute(statement)
    except pg.LockNotAvailable as error:
        raise InUse(
            f"the collection {name!r} is being worked on by server processes {holders(connection, 'generation')};"
            " try again when they are done, or end them"
        ) from error
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [before and before[0]])


def limit_waiting(connection: Executor) -> None:
    """Let statements of this transaction fail with LockNotAvailable that wait for a lock too long."""
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [PATIENCE])


def holders(connection: Executor, table: str | None = None) -> str:
    """The server processes that hold locks on a table of ours, or on any of them, with their roles and states."""
    row = connection.execute(query("lock_holders").format(table=sql.Literal(table))).fetchone()
    return str(row[0]) if row is not None and row[0] is not None else "that have ended"


@contextmanager
def named_holders(engine: sa.Engine) -> Iterator[None]:
    """Turn a wait for a lock that took too long into InUse, which names who holds locks."""
    try:
        with plain_errors():
            yield
    except pg.LockNotAvailable as error:
        with connected(engine) as connection:
            raise InUse(
                f"the schema {SCHEMA} is in use by server processes {holders(connection)};"
                " try again when they are done, or end them"
            ) from error


@contextmanager
def plain_errors() -> Iterator[None]:
    """Let errors of psycopg come out of SQLAlchemy as what they are."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if error.orig is None:
            raise
        raise error.orig from error
