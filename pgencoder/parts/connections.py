"""The connections of a `Database`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.db.connection import (
    Connection,
    connected,
    driver_of,
    pin,
    pinned_engine,
    translate_errors,
    vector_schema,
)
from pgencoder.errors import PgencoderError
from pgencoder.schema import migrate
from pgencoder.types import Collection


class Connections:
    """Two engines for one database: `users` is for the user's statements, `own` for those that pgencoder sends."""

    def __init__(self, engine: sa.Engine) -> None:
        self.users = engine
        self.own = pinned_engine(engine)
        self._is_current = False
        self._vector_schema: str | None = None

    def open(self) -> AbstractContextManager[Connection]:
        """Return a context with a connection in autocommit; the first one checks that the schema pgencoder is there."""
        if not self._is_current:
            migrate.check_current(self.own)
            self._is_current = True
        return connected(self.own)

    def check_again(self) -> None:
        """Let the next connection check the schema again."""
        self._is_current = False

    def close(self) -> None:
        """Close the connections in both pools."""
        self.users.dispose()
        self.own.dispose()

    @property
    def vector_schema(self) -> str:
        """The schema of pgvector."""
        if self._vector_schema is None:
            with self.open() as connection:
                self._vector_schema = vector_schema(connection)
        return self._vector_schema

    def collection(self, name: str) -> Collection:
        """Return the description of a collection; raises UnknownCollection."""
        with self.open() as connection:
            return catalog.collection(connection, name)

    def table(self, name: str) -> sa.Table:
        """Return the source table of a collection, reflected."""
        collection = self.collection(name)
        with translate_errors(), self.own.begin() as connection:
            pin(driver_of(connection), local=True)
            return sa.Table(
                collection.source_table, sa.MetaData(), schema=collection.source_schema, autoload_with=connection
            )

    @contextmanager
    def blame_table(self, collection: Collection) -> Iterator[None]:
        """Raise InvalidSource instead of an error that follows from something wrong with a collection's table."""
        try:
            yield
        except (psycopg.Error, sa.exc.DBAPIError, PgencoderError):
            with self.open() as connection:
                catalog.check_problem(connection, collection.name)
            raise
