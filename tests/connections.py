"""Ask the tests' server."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

Connection = psycopg.Connection[Any]


def url_of(host: str, user: str, dbname: str) -> str:
    return sa.URL.create("postgresql", user, database=dbname, query={"host": host}).render_as_string(False)


def value(connection: Connection, statement: str) -> object:
    """The one value that a statement returns."""
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]
