"""Opens databases, and knows which ones this process has open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import sqlalchemy as sa

from pgencoder.database import Database
from pgencoder.db.connection import open_engine
from pgencoder.errors import InvalidRequest

if TYPE_CHECKING:  # it needs greenlet, which not everyone has
    from sqlalchemy.ext.asyncio import AsyncEngine

_opened: WeakSet[Database] = WeakSet()


def connect(url: str | sa.URL | sa.Engine | AsyncEngine) -> Database:
    """Return the database at a Postgres URL, or the one of an engine of any driver.

    Nothing is connected before the first call that needs a connection. Of an engine only the URL is used, with its
    password, for connections of pgencoder's own; other settings of the engine, such as `connect_args`, are not.
    """
    return _noted(database_of(url))


def database_of(url: str | sa.URL | sa.Engine | AsyncEngine) -> Database:
    """Like `connect`, but not registered as the process's open database."""
    return Database(open_engine(url if isinstance(url, str | sa.URL) else getattr(url, "url", None)))


def embedded(path: Path | str | None = None) -> Database:
    """Return the database of a private Postgres with pgvector, whose data is in `path`; start it if it is not running.

    This needs the extra `embedded`. The server stops when the last process that uses it ends. `migrate` compiles the
    native kernel for it if there is a C compiler, unless the environment says PGENCODER_NATIVE=off.
    """
    from pgencoder.db import embedded as server  # Windows lacks what it needs

    return _noted(Database(open_engine(server.start(path)), owned=True))


def the_only() -> Database:
    """Return the database that this process has open; raises InvalidRequest unless there is exactly one."""
    still_open = [each for each in _opened if not each.closed]
    if len(still_open) != 1:
        raise InvalidRequest(
            f"which database? {len(still_open) or 'none'} open in this process; pass db=pgencoder.connect(...)"
        )
    return still_open[0]


def _noted(database: Database) -> Database:
    _opened.add(database)
    return database
