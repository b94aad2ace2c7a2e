"""Says that a search may have missed rows that are not encoded yet."""

from __future__ import annotations

from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.encoders import loaded_by_workers
from pgencoder.statements import as_text, equal, identifier, listed, own, query, raw
from pgencoder.types import Collection

MOST = 10_000  # rows that are counted


def waiting(connection: Connection, collection: Collection) -> str | None:
    """Return a line about waiting rows of the active generation; None if none waits or the role may not see them."""
    queue, passages = own(collection.generation.queue), own(collection.generation.passages)
    may = connection.execute("SELECT pg_catalog.has_table_privilege(%s, 'SELECT')", [as_text(queue)]).fetchone()
    if may != (True,):
        return None
    same = (equal(identifier("queue", key.name), identifier("passage", key.name)) for key in collection.key)
    statement = query("waiting").format(queue=queue, passages=passages, same=listed(same, " AND "), most=raw(str(MOST)))
    row = connection.execute(sql.Composed([statement])).fetchone()
    waits, encoded = row or (0, 0)
    if not waits:
        return None
    more = "more than " if waits + encoded > MOST else ""
    advice = "start a worker: pgencoder worker"
    if not loaded_by_workers(collection.generation.encoder):
        advice = "start a worker in the program that has its encoder: db.worker(encoders=[...]).run()"
    return f"collection {collection.name!r}: {encoded:,} of {more}{min(waits + encoded, MOST):,} rows encoded; {advice}"
