"""Look at the generations of the collection `articles`."""

from __future__ import annotations

import pytest
from psycopg import sql

from pgencoder import Database
from pgencoder.errors import GenerationIncomplete
from tests.connections import Connection

STATES = "SELECT number, state FROM pgencoder.generation ORDER BY number"


def contents(connection: Connection, number: int) -> list[tuple[int, str]]:
    statement = sql.SQL("SELECT id, content FROM {} ORDER BY id").format(
        sql.Identifier("pgencoder", f"articles_{number}")
    )
    return connection.execute(statement).fetchall()


def in_step(connection: Connection, *numbers: int) -> None:
    """The passages of these generations are those of the rows, and nothing is queued."""
    rows = connection.execute("SELECT id, body FROM articles WHERE body <> '' ORDER BY id").fetchall()
    for number in numbers:
        assert contents(connection, number) == rows, number
        queue = sql.Identifier("pgencoder", f"articles_{number}_queue")
        assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(queue)).fetchone() == (0,), number


def queued(connection: Connection, number: int) -> list[int]:
    queue = sql.Identifier("pgencoder", f"articles_{number}_queue")
    return [key for (key,) in connection.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(queue))]


def incomplete(db: Database, number: int | None = None) -> str:
    with pytest.raises(GenerationIncomplete) as raised:
        db.activate("articles", number)
    assert "\n" not in str(raised.value)
    return str(raised.value)
