"""Ask the tests' server."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

Connection = psycopg.Connection[Any]


def url_of(server: sa.URL, dbname: str) -> str:
    """The URL of a database of the server."""
    return server.set(database=dbname).render_as_string(hide_password=False)


def connect(server: sa.URL, dbname: str = "postgres") -> Connection:
    """Connect to a database of the server as a superuser, in autocommit."""
    return psycopg.connect(url_of(server, dbname), autocommit=True)


def value(connection: Connection, statement: str) -> object:
    """The one value that a statement returns."""
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]
