"""Compares what is stored with a fresh encoding of every row."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from pgencoder import Database, Encoder
from pgencoder.ingest.chunking import splitter
from pgencoder.vectors import HalfvecArray, normalize, register

Connection = psycopg.Connection[Any]


def check(connection: Connection, db: Database, name: str, encoder: Encoder) -> int:
    """Assert that the passages of a collection are those of its rows, and the queue empty; returns their number."""
    collection = db.collection(name)
    generation = collection.generation
    split = splitter(encoder, generation.chunking)
    source = sql.Identifier(collection.source_schema, collection.source_table)
    keys = sql.SQL(", ").join(sql.Identifier(key.source) + sql.SQL("::text") for key in collection.key)
    columns = sql.SQL(", ").join(sql.Identifier(column) + sql.SQL("::text") for column in collection.columns)
    width = len(collection.key)
    expected = {}
    for row in connection.execute(sql.SQL("SELECT {}, {} FROM {}").format(keys, columns, source)):
        content = " ".join(value for value in row[width:] if value is not None)
        for number, span in enumerate(split([content])[0]):
            text = content[span.start : span.end]
            expected[(*row[:width], number)] = (span.start, span.end, text)
    stored_keys = sql.SQL(", ").join(sql.Identifier(key.name) + sql.SQL("::text") for key in collection.key)
    passages = sql.Identifier("pgencoder", generation.passages)
    stored = {
        (*row[:width], row[width]): tuple(row[width + 1 :])
        for row in connection.execute(
            sql.SQL("SELECT {}, passage, lower(span), upper(span), content FROM {}").format(stored_keys, passages)
        )
    }
    assert stored == expected
    queue = sql.Identifier("pgencoder", generation.queue)
    assert connection.execute(sql.SQL("SELECT count(*) FROM {}").format(queue)).fetchone() == (0,)
    _check_vectors(connection, passages, generation.token_type, encoder)
    return len(stored)


def _check_vectors(connection: Connection, passages: sql.Identifier, token_type: str, encoder: Encoder) -> None:
    register(connection)
    for (content,) in connection.execute(sql.SQL("SELECT content FROM {} LIMIT 20").format(passages)).fetchall():
        encoding = encoder.encode_documents([content])[0]
        equal = {"bit": "tokens = pgencoder.binary_quantize($1)", "halfvec": "tokens = $1", "none": "$1 IS NOT NULL"}
        # a raw cursor, because the table may be called 100%
        row = (
            psycopg.RawCursor(connection)
            .execute(
                sql.SQL(
                    f"SELECT bool_and({equal[token_type]}), max(abs(1 + (dense <#> ($2::halfvec[])[1])))"
                    " FROM {} WHERE content = $3"
                ).format(passages),
                [HalfvecArray(normalize(encoding.tokens)), HalfvecArray(normalize(encoding.dense)[None]), content],
            )
            .fetchone()
        )
        assert row is not None
        assert row[0] is True
        assert row[1] < 2e-3
