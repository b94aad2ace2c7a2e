"""Queues keys in bulk: of rows that were there before, of changes that came late, and of what a TRUNCATE left.

Keys are queued in pieces. Each piece is a short transaction that remembers how far it came, so an interrupted backfill
goes on where it stopped. A piece that would have to wait for an application stops and is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from pgencoder import catalog
from pgencoder.catalog.objects import Objects, queue_keys, queues_of
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.db.executor import Executor
from pgencoder.db.locks import lock_collection, patiently
from pgencoder.ingest.queue import execute, giving_way
from pgencoder.progress import Progress
from pgencoder.statements import Part, as_text, listed, own, query, raw
from pgencoder.types import Generation

logger = logging.getLogger(__name__)

PIECE_ROWS = 10_000
LATE_ROWS = 1_000


def queue_existing(connection: Connection, objects: Objects, progress: Progress | None = None) -> int:
    """Queue every row that is not queued yet; return how many. `progress` gets that and an estimate of all."""
    estimate, queued = 0, 0
    if progress is not None:
        estimate = _estimate(connection, objects)
    while (added := patiently(lambda: queue_piece(connection, objects))) is not None:
        queued += added
        if progress is not None:
            progress(queued, max(estimate, queued))
    return queued


def queue_piece(connection: Connection, objects: Objects, rows: int = PIECE_ROWS) -> int | None:
    """Queue the next rows of the source; return how many, None if all are queued or another process does it."""
    generation = [objects.generation.collection, objects.generation.number]
    with giving_way(connection):
        state = execute(connection, query("lock_unqueued"), generation).fetchone()
        if state is None:
            return None
        statement = objects.fill("queue_piece", key_text=objects.key.k_text)
        found, added, last = execute(connection, statement, [state[0], rows]).fetchone() or (0, 0, None)
        execute(connection, query("note_queued"), [*generation, last, found < rows])
    return int(added)


def move_late(connection: Connection, name: str) -> bool:
    """Put late changes into the queues of all generations; return False if there were none."""
    with giving_way(connection):
        # no generation may come or go before the commit: it would miss what is deleted here
        lock_collection(connection, name, shared=True)
        collection = catalog.collection(connection, name)
        objects = Objects(collection, vector_schema(connection))
        rows = execute(connection, query("take_late"), [name, LATE_ROWS]).fetchall()
        if rows:
            keys = sql.SQL("SELECT DISTINCT {} FROM ROWS FROM ({}) AS claim({})").format(
                objects.key.k_typed, objects.key.arrays, objects.key.ks
            )
            statement = queue_keys(objects, queues_of(objects, collection.generations), keys)
            _queue_valid(connection, objects, statement, [key for (key,) in rows])
    truncated = execute(connection, query("late_truncates"), [name]).fetchall()
    if truncated:
        # read after the marks: a generation that is not in it began after the TRUNCATE
        for generation in catalog.collection(connection, name).generations:
            _requeue(connection, objects.of(generation))
        # by their numbers: one that commits only now may have a lower number than another that is done
        execute(connection, query("forget_late"), [[number for (number,) in truncated]])
    return bool(rows or truncated)


def _queue_valid(connection: Connection, objects: Objects, statement: Part, keys: Sequence[Any]) -> None:
    """Queue late keys; drop what can be no key: the owner of the table may write anything there."""
    valid = [key for key in keys if len(key) == len(objects.key.numbers) and all(isinstance(part, str) for part in key)]
    dropped = len(keys) - len(valid)

    def put(some: Sequence[Any]) -> None:
        with connection.transaction():
            execute(connection, statement, [list(part) for part in zip(*some, strict=True)])

    if valid:
        try:
            put(valid)
        except (pg.DataError, pg.IntegrityError):
            for key in valid:
                try:
                    put([key])
                except (pg.DataError, pg.IntegrityError):
                    dropped += 1
    if dropped:
        logger.warning("%s: dropped %d late changes whose keys its table cannot have", objects.collection.name, dropped)


def _requeue(connection: Connection, objects: Objects) -> None:
    """Make sure that nothing read before a TRUNCATE is written, then queue every key that has passages."""
    with giving_way(connection):
        execute(connection, objects.fill("requeue_claimed"), [])
    descending = listed(sql.Identifier(column.name) + raw(" DESC") for column in objects.collection.key)
    statement = objects.fill(
        "requeue_passages",
        key_descending=descending,
        key_text=objects.key.text(),
        after=objects.key.parameters(3),
    )
    after, found = None, PIECE_ROWS
    while found == PIECE_ROWS:
        with giving_way(connection):
            parameters = [after, PIECE_ROWS, *(after or [None] * len(objects.key.numbers))]
            found, after = execute(connection, statement, parameters).fetchone() or (0, None)


def late(connection: Connection) -> set[str]:
    """Return the names of the collections that have late changes."""
    return {name for (name,) in connection.execute("SELECT DISTINCT collection FROM pgencoder.late")}


def indexed(connection: Executor, generation: Generation) -> bool:
    """Return True if the indexes that recall are there."""
    asked = {"indexes": list(generation.indexes), "passages": as_text(own(generation.passages))}
    found = connection.execute(query("has_indexes"), asked).fetchone()
    return found is not None and bool(found[0])


def ready_to_index(connection: Connection, objects: Objects) -> bool:
    """Return True if the rows that were there before the generation are encoded; a few may fail.

    Where many fail, the rows are not to blame, and their passages would come after the index, one by one.
    """
    generation = objects.generation
    parameters = [generation.collection, generation.number]
    row = execute(connection, objects.fill("ready_to_index"), parameters).fetchone()
    return row is not None and bool(row[0])


def index_progress(connection: Connection, objects: Objects) -> tuple[str, int, int] | None:
    """Return phase, tuples done and tuples in all of a running index build; None if none runs."""
    return execute(connection, query("index_progress"), [objects.passages.as_string(connection)]).fetchone()


def _estimate(connection: Connection, objects: Objects) -> int:
    row = execute(connection, query("estimate_rows"), [objects.source.as_string(connection)]).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
