"""What runs statements: a connection of psycopg, or one that is borrowed from SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pgencoder.sql import Part


class Rows(Protocol):
    """What a statement returned."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""

    def fetchone(self) -> Any:
        """Return the next row, None if there is none."""


class Executor(Protocol):
    """What the schema and the catalogue need of a connection."""

    def execute(self, query: Any, params: Any = ..., /) -> Rows:
        """Run a statement; parameters are marked %s."""

    def transaction(self) -> AbstractContextManager[Any]:
        """Begin a transaction, or a savepoint in the one there is."""


def run(executor: Executor, statements: Iterable[Part]) -> None:
    """Run statements that return nothing, in order."""
    for statement in statements:
        executor.execute(statement)
