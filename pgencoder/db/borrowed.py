"""Connections that someone else has opened: in the middle of a transaction, and of any driver.

The schema and the catalogue take them as they take connections of psycopg, see `db.executor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from pgencoder.errors import InvalidRequest
from pgencoder.statements import Part, as_text

# What a transaction keeps of ours after the part of it that is ours
_SETTINGS = ("role", "search_path", "lock_timeout")


class Fetched:
    """The rows that a statement returned."""

    def __init__(self, rows: Sequence[Any] = ()) -> None:
        self._rows = [tuple(row) for row in rows]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows

    def fetchone(self) -> Any:
        """Return the first row, None if there is none."""
        return next(iter(self._rows), None)


class Borrowed:
    """Runs statements on a SQLAlchemy connection of any driver, in its transaction.

    A statement that fails leaves the transaction usable; errors are raised as psycopg's.
    """

    def __init__(self, connection: sa.Connection) -> None:
        if connection.dialect.name != "postgresql":
            raise InvalidRequest(f"this is a connection to {connection.dialect.name}; collections are in Postgres")
        self._connection = connection

    def execute(self, query: Any, params: Any = None, /) -> Fetched:
        """Run a statement; its values are put into its text."""
        text = plain(query, params)
        reads = re.match(r"(\s|--.*\n)*(SELECT|WITH)\b", text)
        if not reads and not text.startswith("DO "):
            # perhaps several statements, which some drivers cannot send at once
            text = as_text(sql.SQL("DO {}").format(sql.Literal(f"BEGIN EXECUTE {as_text(sql.Literal(text))}; END")))
        try:
            with self._connection.begin_nested():
                result = self._connection.exec_driver_sql(text, execution_options={"no_parameters": True})
                return Fetched(result.fetchall() if reads else ())
        except sa.exc.DBAPIError as error:
            ours = _as_psycopg(error)
            if isinstance(ours, psycopg.errors.NoActiveSqlTransaction):
                raise InvalidRequest(
                    "collections are made and changed in a transaction; take this out of autocommit_block()"
                ) from error
            raise ours from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin a savepoint, after which the settings of the transaction are what they were."""
        with self._connection.begin_nested():
            names = ", ".join(f"pg_catalog.current_setting('{name}')" for name in _SETTINGS)
            before = self.execute(f"SELECT {names}").fetchone()
            yield
            for name, value in zip(_SETTINGS, before, strict=True):
                self.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def plain(statement: Part | str | bytes, parameters: Any = None) -> str:
    """Return a statement as text, with the values of its parameters in it."""
    text = statement if isinstance(statement, str) else _decoded(statement)
    if parameters is None:
        return text
    values = iter(parameters if isinstance(parameters, Sequence) else ())

    def value(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return as_text(sql.Literal(parameters[found[1]] if found[1] else next(values)))

    return re.sub(r"%(?:%|s|\((\w+)\)s)", value, text)


def _decoded(statement: Part | bytes) -> str:
    return statement.decode() if isinstance(statement, bytes) else as_text(statement)


def _as_psycopg(error: sa.exc.DBAPIError) -> psycopg.Error:
    """Return the same error as psycopg has it, for those who know only its classes."""
    cause = error.orig
    if isinstance(cause, psycopg.Error):
        return cause
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    message = str(getattr(cause, "__cause__", None) or cause)
    try:
        return psycopg.errors.lookup(state or "")(message)
    except KeyError:
        return psycopg.DatabaseError(message)
