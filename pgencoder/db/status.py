"""The state of a collection, read from the catalogue and its tables."""

from __future__ import annotations

from psycopg import sql

from pgencoder.db.connection import Connection
from pgencoder.sql import SCHEMA, identifier, own
from pgencoder.types import Collection, CollectionStatus, Kernel


def read(connection: Connection, collection: Collection, in_use: Kernel) -> CollectionStatus:
    """Rows, passages and queue of a collection; `source_rows` is None if the source is gone."""
    generation = collection.generation
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), count(*) FILTER (WHERE truncated), (SELECT count(*) FROM {queue}),"
            " to_regclass(format('%I.%I', {schema}, {index})) IS NOT NULL,"
            " pg_table_size({passages_name}::regclass) / nullif(count(*), 0) FROM {passages}"
        ).format(
            queue=own(generation.queue),
            passages=own(generation.passages),
            schema=sql.Literal(SCHEMA),
            index=sql.Literal(generation.index),
            passages_name=sql.Literal(own(generation.passages).as_string(connection)),
        )
    ).fetchone()
    assert row is not None
    passages, truncated, queued, indexed, size = row
    fingerprint = generation.encoder
    return CollectionStatus(
        name=collection.name,
        source=f"{collection.source_schema}.{collection.source_table}",
        columns=collection.columns,
        generation=generation.number,
        model=str(fingerprint.get("model", "unnamed")),
        token_model=fingerprint.get("token_model"),
        tokens=generation.token_type,
        chunking=generation.chunking,
        source_rows=_source_rows(connection, collection),
        passages=passages,
        truncated_rows=truncated,
        queued=queued,
        indexed=indexed,
        bytes_per_passage=size,
        kernel=in_use.name,
        scoring=in_use.scoring(generation.token_type),
        fingerprint=fingerprint,
    )


def _source_rows(connection: Connection, collection: Collection) -> int | None:
    name = identifier(collection.source_schema, collection.source_table)
    exists = connection.execute("SELECT to_regclass(%s)", [name.as_string(connection)]).fetchone()
    if exists is None or exists[0] is None:
        return None
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
    assert row is not None
    return int(row[0])
