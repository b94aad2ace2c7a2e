"""The state of collections and workers, read from the catalogue, the view `status` and the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psycopg.rows import class_row, dict_row

from pgencoder.db.connection import Connection
from pgencoder.results import CollectionStatus, FailedRow, GenerationStatus, Kernel, WorkerStatus
from pgencoder.statements import query
from pgencoder.types import Collection, Generation, check_count

ALIVE = "30 seconds"
LONGEST_TEXT = 10_000  # characters of what a worker says


def read(
    connection: Connection, found: list[Collection], in_use: Kernel, index_errors: Mapping[tuple[str, int], str]
) -> list[CollectionStatus]:
    """Read the state of these collections; `source_rows` is None if the source is gone.

    `index_errors` says, by collection and generation, which index could not be built, and why.
    """
    rows = connection.cursor(row_factory=dict_row).execute("SELECT * FROM pgencoder.status").fetchall()
    by_name = {(row["collection"], row["generation"]): row for row in rows}
    return [_collection(collection, by_name, in_use, index_errors) for collection in found]


def workers(connection: Connection) -> list[WorkerStatus]:
    """Read all workers, those seen last first."""
    return (
        connection.cursor(row_factory=class_row(WorkerStatus))
        .execute(
            query("read_workers"),
            {"alive": ALIVE, "most": LONGEST_TEXT},
        )
        .fetchall()
    )


def failed(connection: Connection, name: str | None, limit: int) -> list[FailedRow]:
    """Read the rows that could not be encoded, the oldest changes first; raises InvalidRequest for a wrong `limit`."""
    check_count("limit", limit)
    rows = (
        connection.cursor(row_factory=dict_row).execute(query("read_failed"), {"name": name, "limit": limit}).fetchall()
    )
    for row in rows:
        if isinstance(row["key"], str):
            row["key"] = json.loads(row["key"], parse_int=_integer)
    return [FailedRow(**row) for row in rows]


def _integer(digits: str) -> int | str:
    """Read an integer; return its text if it has more digits than Python reads."""
    try:
        return int(digits)
    except ValueError:
        return digits


def _collection(
    collection: Collection,
    rows: Mapping[tuple[str, int], Mapping[str, Any]],
    in_use: Kernel,
    index_errors: Mapping[tuple[str, int], str],
) -> CollectionStatus:
    generation = collection.generation
    active = rows[collection.name, generation.number]
    return CollectionStatus(
        name=collection.name,
        source=f"{collection.source_schema}.{collection.source_table}",
        columns=collection.columns,
        generation=generation.number,
        model=_model(generation),
        token_model=generation.encoder.get("token_model"),
        sparse_model=generation.encoder.get("sparse_model"),
        tokens=generation.token_type,
        chunking=generation.chunking,
        source_rows=active["source_rows"],
        passages=active["passages"],
        truncated_rows=active["truncated"],
        queued=active["queued"],
        indexed=active["indexed"],
        bytes_per_passage=active["bytes"] // active["passages"] if active["passages"] else None,
        kernel=in_use.name,
        scoring=in_use.scoring(generation.token_type),
        generations=tuple(
            _generation(each, rows[collection.name, each.number], index_errors.get((collection.name, each.number)))
            for each in collection.generations
        ),
        fingerprint=generation.encoder,
        problem=active["problem"],
    )


def _generation(generation: Generation, row: Mapping[str, Any], index_error: str | None) -> GenerationStatus:
    named = ("passages", "coverage", "queued", "in_flight", "failed", "lag_seconds", "rows_per_second", "indexed")
    return GenerationStatus(
        number=generation.number,
        state=generation.state,
        model=_model(generation),
        token_model=generation.encoder.get("token_model"),
        sparse_model=generation.encoder.get("sparse_model"),
        tokens=generation.token_type,
        chunking=generation.chunking,
        index_error=None if row["indexed"] else index_error,
        unknown_passages=row["unknown"],
        pooling=generation.pooling,
        lexical=generation.lexical,
        **{name: row[name] for name in named},
    )


def _model(generation: Generation) -> str:
    return str(generation.encoder.get("model", "unnamed"))
