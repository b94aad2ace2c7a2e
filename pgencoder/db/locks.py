"""Takes locks, and names the processes that hold them.

The locks are on tables and rows, because only a role that may write a table or row can lock it. Every role could take
an advisory lock and keep it.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa
from psycopg import errors as pg
from psycopg import sql

from pgencoder.db.connection import Connection, connected
from pgencoder.db.executor import Executor
from pgencoder.errors import InUse
from pgencoder.statements import SCHEMA, own, query

PATIENCE = "30s"

LONGEST_WAIT_SECONDS = 5.0

T = TypeVar("T")


def lock_migrations(connection: Connection) -> None:
    """Block other migrations and `use_kernel` until the transaction ends; does nothing before the first migration."""
    row = connection.execute(query("is_migrated")).fetchone()
    if row == (True,):
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(own("revision")))


def lock_collection(connection: Executor, name: str, *, shared: bool = False) -> None:
    """Lock the generations of a collection until the transaction ends.

    With `shared` several transactions can hold the lock, and only changes wait. A worker can take the shared lock,
    because it may update two columns of a generation; the lock does not stop those updates. Raises InUse if others
    hold the lock for longer than `PATIENCE`.
    """
    strength = sql.SQL("KEY SHARE" if shared else "UPDATE")
    statement = query("lock_generations").format(
        generation=own("generation"), name=sql.Literal(name), strength=strength
    )
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
            f"server processes work on the collection {name!r}: {list_holders(connection, 'generation')};"
            " try again when they are done, or end them"
        ) from error
    limit_waiting(connection, before and before[0])


def limit_waiting(connection: Executor, time: str | None = None) -> None:
    """Let a statement of this transaction raise LockNotAvailable when it has waited for a lock for `time`.

    The default is `PATIENCE`.
    """
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [PATIENCE if time is None else time])


def list_holders(connection: Executor, table: str | None = None) -> str:
    """Return a text that lists the server processes with locks on `table`, with their roles and states.

    Without `table` it lists those with locks on any table of the schema pgencoder.
    """
    row = connection.execute(query("lock_holders").format(table=sql.Literal(table))).fetchone()
    return str(row[0]) if row is not None and row[0] is not None else "that have ended"


@contextmanager
def name_holders(engine: sa.Engine) -> Iterator[None]:
    """Turn LockNotAvailable into InUse, whose message names the processes that hold locks."""
    try:
        with unwrap_errors():
            yield
    except pg.LockNotAvailable as error:
        with connected(engine) as connection:
            raise InUse(
                f"the schema {SCHEMA} is in use by server processes {list_holders(connection)};"
                " try again when they are done, or end them"
            ) from error


@contextmanager
def unwrap_errors() -> Iterator[None]:
    """Raise the error of psycopg instead of SQLAlchemy's error around it."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if error.orig is None:
            raise
        raise error.orig from error


def patiently(run: Callable[[], T], seconds: float = math.inf) -> T:
    """Run, and run again after a while if another transaction holds a lock; after `seconds`, raise the error."""
    wait = 0.05
    end = time.monotonic() + seconds
    while True:
        try:
            return run()
        except (pg.LockNotAvailable, pg.DeadlockDetected):
            if time.monotonic() > end:
                raise
            time.sleep(wait * (0.5 + random.random()))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
