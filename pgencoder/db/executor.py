"""The protocol of an object that runs statements: a psycopg connection, or one that SQLAlchemy lends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pgencoder.statements import Part


class Rows(Protocol):
    """The result of a statement."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""

    def fetchone(self) -> Any:
        """Return the next row, None if there is none."""


class Executor(Protocol):
    """The part of a connection that the schema and the catalogue need."""

    def execute(self, query: Any, params: Any = ..., /) -> Rows:
        """Run a statement; %s marks a parameter."""

    def transaction(self) -> AbstractContextManager[Any]:
        """Begin a transaction, or a savepoint inside an open transaction."""


def run(executor: Executor, statements: Iterable[Part]) -> None:
    """Run statements that return nothing, in order."""
    for statement in statements:
        executor.execute(statement)
