"""The queue of a generation: claim keys, read their rows, finish or release them.

A claim is a short transaction of its own. The rows are read after it has committed, in a later snapshot: what is read
is then at least as new as the `seq` that was claimed. (Read in the claiming statement, a row could be older than its
`seq`: SKIP LOCKED returns the newest version of a queue row, a join the statement's snapshot of the source.) Writing
passages deletes the queue row only where `seq` is still the claimed one, so a change during the encoding stays queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.ingest.objects import Objects
from pgencoder.sql import content, identifier, listed, raw


@dataclass(frozen=True)
class Claim:
    """Claimed keys: `keys[i]` is the key of row i as text, one value for each key column."""

    seqs: list[int]
    keys: list[tuple[str, ...]]

    @property
    def arrays(self) -> list[Any]:
        """The parameters $1, $2, ...: the key columns' values, then the seqs."""
        return [*(list(column) for column in zip(*self.keys, strict=True)), self.seqs]


@dataclass(frozen=True)
class Row:
    """A source row: `number` is its place in the claim, `key` its key in Postgres' binary format."""

    number: int
    content: str
    key: tuple[bytes, ...]


def claim(connection: Connection, objects: Objects, rows: int, lease: float) -> Claim:
    """Claim up to `rows` keys for `lease` seconds, the oldest changes first."""
    statement = objects.fill(
        "claim",
        queue_is_ready=listed(
            (identifier("queue", k.name) + raw(" = ") + identifier("ready", k.name) for k in objects.collection.key),
            " AND ",
        ),
        key_text=listed(identifier("queue", k.name) + raw("::text") for k in objects.collection.key),
    )
    found = _execute(connection, statement, [rows, lease]).fetchall()
    return Claim([row[0] for row in found], [tuple(row[1:]) for row in found])


def read(connection: Connection, objects: Objects, claimed: Claim) -> list[Row]:
    """The claimed rows that are in the source; the others were deleted."""
    statement = objects.fill(
        "read_rows",
        content=content(objects.collection.columns, "source"),
        source_key=objects.source_columns("source"),
        source_is_claim=objects.claimed("source", in_source=True),
    )
    # Binary keys go back into COPY as they came, whatever their type
    result = _execute(connection, statement, claimed.arrays[:-1], binary=True).pgresult
    assert result is not None
    rows = []
    for i in range(result.ntuples):
        number, text, *key = (result.get_value(i, column) or b"" for column in range(result.nfields))
        rows.append(Row(int.from_bytes(number, "big"), text.decode(), tuple(key)))
    return rows


def finish(connection: Connection, objects: Objects, claimed: Claim) -> set[int]:
    """Delete the queue rows and old passages of what is unchanged since the claim; returns its rows' numbers.

    Call it in the transaction that then writes their new passages.
    """
    statement = objects.fill(
        "finish", queue_is_claim=objects.claimed("queue"), passage_is_claim=objects.claimed("passage")
    )
    return {number for (number,) in _execute(connection, statement, claimed.arrays)}


def release(connection: Connection, objects: Objects, claimed: Claim, error: str) -> None:
    """Give back what could not be encoded, with the reason."""
    statement = objects.fill("release", queue_is_claim=objects.claimed("queue"))
    _execute(connection, statement, [*claimed.arrays, error])


def waiting(connection: Connection, objects: Objects) -> int:
    """How many keys are queued."""
    row = connection.execute(b"SELECT count(*) FROM " + objects.queue.as_bytes(connection)).fetchone()
    assert row is not None
    return int(row[0])


def _execute(
    connection: Connection, statement: sql.Composed, parameters: Sequence[Any], binary: bool = False
) -> psycopg.RawCursor[Any]:
    # a raw cursor's placeholders are the server's own, so that a % in a name is only a character
    return psycopg.RawCursor(connection).execute(statement, parameters, binary=binary)
