"""Finds the similar pairs of rows in a collection.

One statement reads all vectors. It is the snapshot: no transaction stays open while the comparison runs. Before a pair
is returned, its keys are looked up in the source with the caller's rights. A pair is left out if one of its rows was
deleted meanwhile, or if row level security now hides it.
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
from pgencoder.progress import Progress
from pgencoder.representations.base import Representation
from pgencoder.representations.dense import InnerProduct
from pgencoder.results import Pair
from pgencoder.statements import identifier, own, query
from pgencoder.types import PAIR_METHODS, Collection, PairMethod

AT_ONCE = 5_000  # pairs that are looked up and returned together
SECONDS = 0.5  # after this time a smaller batch is returned
SEPARATOR = b"\0"  # no text in Postgres contains it

Connect = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class PairSearch:
    """The wanted pairs: those of at least the cosine `threshold`, found by `method`; with `limit` the most similar."""

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
            f"{collection.name!r} has no encoded rows yet that this role may see; run: pgencoder worker --once"
        )


def similar_pairs(
    connect: Connect, collection: Collection, search: PairSearch, progress: Progress | None = None
) -> Iterator[Pair]:
    """Yield the pairs as they are found; with a `limit`, find all first and yield the most similar in order."""
    compared = _compared(collection)
    with Spool(compared.dims) as spool:
        try:
            with connect() as connection:
                _read(connection, collection, compared.name, spool)
        except OSError as error:
            raise DiskFull(
                f"the vectors do not fit into {tempfile.gettempdir()}, the directory of temporary files:"
                f" {error.strerror}; name another directory in TMPDIR"
            ) from error
        found = _report(similar_rows(spool, search.threshold, search.method), spool.rows, progress)
        batches = _gather(found) if search.limit is None else _best(found, search.limit)
        for batch in batches:
            with connect() as connection:
                pairs = _with_keys(connection, collection, spool, batch)
            yield from pairs


def _compared(collection: Collection) -> Representation:
    """Return the representation whose vectors have a cosine."""
    for each in collection.generation.representations:
        if isinstance(each.measure, InnerProduct):
            return each
    raise InvalidRequest(f"collection {collection.name!r} has no vectors to compare rows by")


def _read(connection: Connection, collection: Collection, column: str, spool: Spool) -> None:
    key = Key(collection.key)
    statement = query("pair_vectors").format(
        key_text=key.text("passage"),
        column=identifier(column),
        passages=own(collection.generation.passages),
        source=identifier(collection.source_schema, collection.source_table),
        source_is_passage=key.is_source("source", identifier("passage")),
        passage_key=key.of(identifier("passage")),
    )
    try:
        with psycopg.RawCursor(connection) as cursor, cursor.copy(statement) as copy:
            copy.set_types(["bytea"] * (len(collection.key) + 1))  # as raw bytes
            for *values, vector in copy.rows():
                spool.append(SEPARATOR.join(values), vector)
    except psycopg.errors.UndefinedTable as error:
        raise Outdated(
            f"{error.diag.message_primary}: it was dropped after similar_pairs was called; call it again"
        ) from error
    spool.complete()


def _report(found: Iterator[Similar], rows: int, progress: Progress | None) -> Iterator[Similar]:
    """Yield what is found and report the progress: the comparisons that are done, as a share of the rows."""
    for each in found:
        if progress is not None:
            progress(rows * each.looked // each.of, rows)
        yield each


def _gather(found: Iterator[Similar]) -> Iterator[Similar]:
    """Yield batches: full batches of `AT_ONCE` pairs, or after `SECONDS` the pairs found so far."""
    waiting: list[Similar] = []
    number, since = 0, time.monotonic()
    for each in found:
        waiting.append(each)
        number += len(each.row)
        if number >= AT_ONCE or (number and time.monotonic() - since > SECONDS):
            yield from _pieces(_join(waiting))
            waiting, number, since = [], 0, time.monotonic()
    if number:
        yield from _pieces(_join(waiting))


def _best(found: Iterator[Similar], limit: int) -> Iterator[Similar]:
    best: list[Similar] = []
    for each in found:
        if len(each.row):
            both = _join([*best, each])
            best = [_at(both, np.lexsort((both.other, both.row, -both.cosine))[:limit])]
    for each in best:
        yield from _pieces(each)


def _join(parts: list[Similar]) -> Similar:
    row, other, cosine = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("row", "other", "cosine")
    )
    return Similar(row, other, cosine, parts[-1].looked, parts[-1].of)


def _at(similar: Similar, places: Any) -> Similar:
    return Similar(similar.row[places], similar.other[places], similar.cosine[places], similar.looked, similar.of)


def _pieces(similar: Similar) -> Iterator[Similar]:
    for start in range(0, len(similar.row), AT_ONCE):
        yield _at(similar, slice(start, start + AT_ONCE))


def _with_keys(connection: Connection, collection: Collection, spool: Spool, batch: Similar) -> list[Pair]:
    """Return the pairs with their keys; leave out pairs with a row that is deleted or hidden."""
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
