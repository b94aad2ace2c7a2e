"""Copies vectors that exist already into a generation, in the server, without encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.db.locks import patiently
from pgencoder.errors import InvalidSource
from pgencoder.ingest.queue import count_waiting, execute, giving_way
from pgencoder.progress import Progress
from pgencoder.statements import Part, identifier, listed, raw

PIECE_ROWS = 200  # in one transaction, which keeps applications from changing them
NO_LIMIT = 1 << 62  # bytes: what is read stays in the server


@dataclass(frozen=True)
class VectorTable:
    """A table that holds vectors; its key columns are named as the source's.

    `dense` names a column of `vector`, `halfvec` or `real[]`; `tokens` one of `vector[]`, `halfvec[]` or `bit[]`.
    Without `tokens` passages have none and are ranked by their dense vectors.
    """

    table: str
    dense: str
    tokens: str | None = None
    schema: str | None = None


def adopt(connection: Connection, objects: Objects, vectors: VectorTable, progress: Progress | None = None) -> int:
    """Make one passage of each queued row that has a vector; return how many rows were taken over.

    Vectors are stored with length 1. Rows without a vector stay queued. The caller knows that the vectors are of the
    generation's model and of the rows as they are now.
    """
    statement = _adopting(connection, objects, vectors)
    total, adopted, after = count_waiting(connection, objects), 0, 0

    def piece() -> tuple[int, int | None]:
        with giving_way(connection):
            connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT").format(objects.passages))
            # first the locks, then, in a later snapshot, the rows: as with a worker's claim
            rows = execute(
                connection, objects.fill("adopt_keys", key_text=objects.key.text()), [after, PIECE_ROWS]
            ).fetchall()
            if not rows:
                return 0, None
            keys = [list(column) for column in zip(*(row[1:] for row in rows), strict=True)]
            return execute(connection, statement, [*keys, NO_LIMIT]).rowcount, rows[-1][0]

    while True:
        count, last = patiently(piece)
        if last is None:
            return adopted
        adopted, after = adopted + count, last
        if progress is not None:
            progress(adopted, max(total, adopted))


def adopt_rows(connection: Connection, objects: Objects, dense: str, keys: Sequence[str]) -> None:
    """Make one passage of each of these rows; their vectors are in the column `dense` of the source.

    `keys` are the values of a key of one column. Call it in the transaction that has written the rows, so that content
    and vector change together. That transaction must lock the passages first (`lock`), as `ingest.queue` argues.
    """
    execute(connection, _statement(objects, objects.source, {"dense": dense}, {}), [list(keys), NO_LIMIT])


def lock(connection: Connection, objects: Objects) -> None:
    """Lock the passages for writing; wait while an index is built."""
    connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(objects.passages))


def _adopting(connection: Connection, objects: Objects, vectors: VectorTable) -> sql.Composed:
    """Return the statement that copies vectors from a table; raise InvalidSource if a column is missing there."""
    found = catalog.find_columns(connection, vectors.table, vectors.schema)
    for column in (vectors.dense, vectors.tokens, *(key.source for key in objects.collection.key)):
        if column is not None and column not in found.columns:
            raise InvalidSource(f"table {vectors.table!r} has no column {column!r}; it has: {', '.join(found.columns)}")
    table = identifier(found.schema, found.table)
    columns = {"dense": vectors.dense} | ({} if vectors.tokens is None else {"tokens": vectors.tokens})
    return _statement(objects, table, columns, found.columns)


def _statement(objects: Objects, table: Part, columns: Mapping[str, str], types: Mapping[str, str]) -> sql.Composed:
    """Return the statement that takes vectors out of `columns`, which has them by the names of the representations."""
    key = objects.key
    representations = {each.name: each for each in objects.generation.representations}
    for name in columns.keys() - representations.keys():
        raise InvalidSource(
            f"generation {objects.generation.number} of {objects.collection.name!r} stores no {name}; leave column"
            f" {columns[name]!r} out (--{name})"
        )
    columns_made, calls = objects.made(identifier("r", "content"))
    made, replaced = [], []
    for name, each in representations.items():
        column = columns.get(name)
        value = each.adopted(column, types.get(column or ""), objects.vector)
        if value is not None:
            made.append(sql.SQL(", {} AS {}").format(value, identifier(name)))
            replaced.append(sql.SQL(", {name} = EXCLUDED.{name}").format(name=identifier(name)))
    for each in representations.values():
        if not each.written:
            replaced += [
                sql.SQL(", {name} = EXCLUDED.{name}").format(name=identifier(column.name))
                for column in each.columns(objects.vector)
            ]
    return objects.fill(
        "adopt",
        **{
            "from": table,
            "columns": columns_made,
            "calls": calls,
            "keys": raw(", ".join(f"${i}" for i in key.numbers)),
            "bytes": key.parameter(1),
            "given": identifier("v", next(iter(columns.values()))),
            "made": listed(made, ""),
            "stored": objects.written(),
            "replaced": listed(replaced, ""),
            "from_is_row": key.is_k("r", raw("v"), in_source=True),
            "passage_is_row": key.is_k("row", raw("passage")),
            "queue_is_row": key.is_k("row", raw("queue")),
        },
    )
