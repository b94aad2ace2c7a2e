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

from pgencoder.db.connection import Connection
from pgencoder.ingest.objects import Objects
from pgencoder.sql import content, identifier, listed, raw


@dataclass(frozen=True)
class Claim:
    """Claimed keys: `keys[i]` is the key of row i as text, one value for each key column."""

    seqs: list[int]
    keys: list[tuple[str, ...]]

    def parameters(self, rows: Sequence[int] | None = None) -> dict[str, Any]:
        """The query parameters k1, k2, ... and seqs, for all rows or those given."""
        chosen = range(len(self.seqs)) if rows is None else rows
        columns = len(self.keys[0]) if self.keys else 0
        arrays: dict[str, Any] = {f"k{c + 1}": [self.keys[i][c] for i in chosen] for c in range(columns)}
        return arrays | {"seqs": [self.seqs[i] for i in chosen]}


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
    found = connection.execute(statement, {"rows": rows, "lease": lease}).fetchall()
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
    cursor = connection.cursor(binary=True)
    cursor.execute(statement, claimed.parameters())
    result = cursor.pgresult
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
    return {number for (number,) in connection.execute(statement, claimed.parameters())}


def release(connection: Connection, objects: Objects, claimed: Claim, error: str) -> None:
    """Give back what could not be encoded, with the reason."""
    statement = objects.fill("release", queue_is_claim=objects.claimed("queue"))
    connection.execute(statement, claimed.parameters() | {"error": error})


def waiting(connection: Connection, objects: Objects) -> int:
    """How many keys are queued."""
    row = connection.execute(b"SELECT count(*) FROM " + objects.queue.as_bytes(connection)).fetchone()
    assert row is not None
    return int(row[0])
