"""The similar pairs of rows of a collection.

The vectors are read once, by one statement: that is the snapshot, and no transaction is open afterwards, however long
the comparison takes. Before a pair is handed out its keys are looked up in the source, with the caller's rights: rows
that were deleted meanwhile, or that row level security hides by now, are left out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from pgencoder.catalog.keys import Key
from pgencoder.db.connection import Connection
from pgencoder.errors import DiskFull, InvalidRequest, NotEncoded, Outdated
from pgencoder.pairs.similar import Similar, similar_rows
from pgencoder.pairs.spool import Spool
from pgencoder.results import Pair
from pgencoder.sql import identifier, own, query
from pgencoder.types import PAIR_METHODS, Collection, PairMethod

AT_ONCE = 5_000  # pairs that are looked up and handed out together,
SECONDS = 0.5  # or as many as there are after so long
SEPARATOR = b"\0"  # which no text in Postgres contains

Connect = Callable[[], AbstractContextManager[Connection]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PairSearch:
    """Which pairs: those of at least this cosine, by which method; with `limit` only the most similar."""

    threshold: float = 0.8
    method: PairMethod = "auto"
    limit: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.threshold, int | float | np.floating) or not -1 < self.threshold <= 1:
            raise InvalidRequest(f"threshold must be a cosine above -1 and at most 1, got {self.threshold!r}")
        if self.method not in PAIR_METHODS:
            raise InvalidRequest(f"method must be one of {', '.join(PAIR_METHODS)}, got {self.method!r}")
        if self.limit is not None and (not isinstance(self.limit, int) or self.limit < 1):
            raise InvalidRequest(f"limit must be an integer of at least 1, got {self.limit!r}")


def check_encoded(connection: Connection, collection: Collection) -> None:
    """Raise NotEncoded if the collection has no passage that this role may see."""
    passages = own(collection.generation.passages)
    row = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(passages)).fetchone()
    if row is None or not row[0]:
        raise NotEncoded(
            f"nothing of {collection.name!r} is encoded yet that this role may see; run: pgencoder worker --once"
        )


def similar_pairs(
    connect: Connect, collection: Collection, search: PairSearch, progress: Progress | None = None
) -> Iterator[Pair]:
    """The pairs, as they are found; with a `limit` the most similar first, when all are found."""
    with Spool(collection.generation.dims.dense) as spool:
        try:
            with connect() as connection:
                _read(connection, collection, spool)
        except OSError as error:
            raise DiskFull(
                f"the vectors do not fit into {tempfile.gettempdir()}, the directory of temporary files:"
                f" {error.strerror}; name another in TMPDIR"
            ) from error
        found = _watched(similar_rows(spool, search.threshold, search.method), spool.rows, progress)
        batches = _gathered(found) if search.limit is None else _best(found, search.limit)
        for batch in batches:
            with connect() as connection:
                pairs = _shown(connection, collection, spool, batch)
            yield from pairs


def _read(connection: Connection, collection: Collection, spool: Spool) -> None:
    key = Key(collection.key)
    statement = query("pair_vectors").format(
        key_text=key.text("passage"),
        passages=own(collection.generation.passages),
        source=identifier(collection.source_schema, collection.source_table),
        source_is_passage=key.is_source("source", identifier("passage")),
        passage_key=key.of(identifier("passage")),
    )
    try:
        with psycopg.RawCursor(connection) as cursor, cursor.copy(statement) as copy:
            copy.set_types(["bytea"] * (len(collection.key) + 1))  # as the bytes that they are
            for *values, dense in copy.rows():
                spool.append(SEPARATOR.join(values), dense)
    except psycopg.errors.UndefinedTable as error:
        raise Outdated(
            f"{error.diag.message_primary}: it was dropped since similar_pairs was called; call it again"
        ) from error
    spool.complete()


def _watched(found: Iterator[Similar], rows: int, progress: Progress | None) -> Iterator[Similar]:
    """Tells of the progress, in rows' worth of comparisons."""
    for each in found:
        if progress is not None:
            progress(rows * each.looked // each.of, rows)
        yield each


def _gathered(found: Iterator[Similar]) -> Iterator[Similar]:
    """Batches to hand out: full ones, or what there is after a while."""
    waiting: list[Similar] = []
    number, since = 0, time.monotonic()
    for each in found:
        waiting.append(each)
        number += len(each.row)
        if number >= AT_ONCE or (number and time.monotonic() - since > SECONDS):
            yield from _pieces(_joined(waiting))
            waiting, number, since = [], 0, time.monotonic()
    if number:
        yield from _pieces(_joined(waiting))


def _best(found: Iterator[Similar], limit: int) -> Iterator[Similar]:
    best: list[Similar] = []
    for each in found:
        if len(each.row):
            both = _joined([*best, each])
            best = [_at(both, np.lexsort((both.other, both.row, -both.cosine))[:limit])]
    for each in best:
        yield from _pieces(each)


def _joined(parts: list[Similar]) -> Similar:
    row, other, cosine = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("row", "other", "cosine")
    )
    return Similar(row, other, cosine, parts[-1].looked, parts[-1].of)


def _at(similar: Similar, places: Any) -> Similar:
    return Similar(similar.row[places], similar.other[places], similar.cosine[places], similar.looked, similar.of)


def _pieces(similar: Similar) -> Iterator[Similar]:
    for start in range(0, len(similar.row), AT_ONCE):
        yield _at(similar, slice(start, start + AT_ONCE))


def _shown(connection: Connection, collection: Collection, spool: Spool, batch: Similar) -> list[Pair]:
    """The pairs whose rows are both in the source and visible, with their keys."""
    rows = np.unique(np.concatenate([batch.row, batch.other])).tolist()
    texts = zip(*(key.decode().split(SEPARATOR.decode()) for key in spool.keys(rows)), strict=True)
    key = Key(collection.key)
    statement = query("pair_keys").format(
        source_key=key.of_source("source"),
        unnest_keys=key.arrays,
        claim_columns=key.ks,
        source=identifier(collection.source_schema, collection.source_table),
        source_is_claim=key.is_claim("source", in_source=True),
    )
    cursor = psycopg.RawCursor(connection).execute(statement.as_bytes(connection), [list(column) for column in texts])
    keys = {rows[n]: values[0] if len(values) == 1 else tuple(values) for n, *values in cursor}
    return [
        Pair(keys[row], keys[other], cosine)
        for row, other, cosine in zip(batch.row.tolist(), batch.other.tolist(), batch.cosine.tolist(), strict=True)
        if row in keys and other in keys
    ]
