"""Describes and changes collections on connections that someone else has opened, such as those of Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.db.borrowed import Borrowed
from pgencoder.db.connection import pin_transaction
from pgencoder.db.executor import Executor
from pgencoder.db.owner import check_owner
from pgencoder.schema import migrate
from pgencoder.types import Collection


def borrowed(connection: sa.Connection) -> Borrowed:
    """Take a connection for describing and changing collections; raises NotMigrated."""
    taken = Borrowed(connection)
    migrate.check_revision(_revision(taken))
    return taken


@contextmanager
def pinned(executor: Executor) -> Iterator[None]:
    """Begin a savepoint with a search path that others have nothing on; afterwards it is what it was."""
    with executor.transaction():
        pin_transaction(executor)
        yield


def collections(connection: sa.Connection) -> list[Collection]:
    """List the collections, none without the schema; raises NotMigrated for a schema of another version."""
    if _revision(Borrowed(connection)) is None:
        return []
    return catalog.collections(borrowed(connection))


def _revision(executor: Executor) -> str | None:
    """Return the revision that the database is at, None without the schema."""
    if executor.execute("SELECT pg_catalog.to_regclass('pgencoder.revision') IS NULL").fetchone() == (True,):
        return None
    check_owner(executor)
    row = executor.execute("SELECT version_num FROM pgencoder.revision").fetchone()
    return None if row is None else str(row[0])
