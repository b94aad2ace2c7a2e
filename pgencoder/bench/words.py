"""Measures searches by words among many passages, and what storing words costs a write."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from psycopg import sql

from pgencoder.bench.scratch import create_rows, detach_if_there, scratch
from pgencoder.catalog.objects import Objects
from pgencoder.database import Database
from pgencoder.ingest import index
from pgencoder.search import Search
from pgencoder.search.ranking import LEXICAL, Alone, Ranking
from pgencoder.statements import as_text, identifier, query, raw
from pgencoder.types import Dims, Encoding, Fingerprint, check_count

NAME, PLAIN = "bench_words", "bench_words_plain"
VOCABULARY = 200_000
COMMON = 50  # the most frequent words
QUERIES = {"10 words, 3 very common": (3, 7), "3 common words": (3, 0), "5 common words": (5, 0)}


@dataclass(frozen=True)
class WordsResult:
    """The times of searches for 100 candidates, in milliseconds, and how many of the best ten of all were found."""

    kind: str
    p50_ms: float
    p95_ms: float
    recall: float | None


@dataclass(frozen=True)
class WordsReport:
    """The result of a benchmark of words.

    `with_seconds` and `without_seconds` are the times of writing `inserted` more passages, with words and vectors, and
    with vectors alone; None if that was not measured.
    """

    passages: int
    queries: int
    dims: int
    bytes_per_passage: int
    results: list[WordsResult]
    inserted: int
    with_seconds: float | None
    without_seconds: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


class _Vectors:
    """An encoder that takes no time: random vectors, no tokens."""

    def __init__(self, dims: int) -> None:
        self.dims = Dims(dims, 0)
        self.fingerprint: Fingerprint = {"model": "random", "dims": [dims, 0]}
        self._random = np.random.default_rng()

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one vector for each text."""
        return [self.encode_query(text) for text in texts]

    def encode_query(self, text: str) -> Encoding:
        """Return one vector."""
        return Encoding(self._random.standard_normal(self.dims.dense, dtype=np.float32), text=text)


def words(db: Database, passages: int, queries: int, exact: int, inserts: int, dims: int) -> WordsReport:
    """Search synthetic passages by words; compare `exact` queries of each kind with the scores of all passages.

    With `inserts` write that many more passages, once with words and vectors of `dims` dimensions, once with vectors
    alone.
    """
    for name, number in (("passages", passages), ("queries", queries), ("dims", dims)):
        check_count(name, number)
    detach_if_there(db, PLAIN)
    encoder = _Vectors(dims)
    with scratch(db, NAME):
        try:
            text = as_text(query("bench_words").format(vocabulary=sql.Literal(VOCABULARY)))
            create_rows(db, NAME, "rows", passages, f"({text})")
            _fill(db, encoder, NAME, "simple")
            if inserts:
                _fill(db, encoder, PLAIN, "none")
            results = [_measure(db, encoder, kind, queries, exact) for kind in QUERIES]
            size = next(each.bytes_per_passage or 0 for each in db.status() if each.name == NAME)
            seconds = _insert(db, encoder, passages, inserts) if inserts else (None, None)
            return WordsReport(passages, queries, dims, size, results, inserts, *seconds)
        finally:
            detach_if_there(db, PLAIN)


def _fill(db: Database, encoder: _Vectors, name: str, lexical: str) -> None:
    """Attach the rows, and write their passages and build the indexes at once."""
    db.attach("rows", ["body"], encoder, schema=NAME, name=name, lexical=lexical)
    objects = Objects(db.collection(name), db.vector_schema)
    columns, calls = objects.made(raw("r.body"))
    with db.connection() as connection:
        fill = query("bench_fill").format(
            passages=objects.passages,
            table=identifier(NAME, "rows"),
            vector=objects.vector,
            dims=sql.Literal(encoder.dims.dense),
            columns=columns,
            calls=calls,
        )
        connection.execute(fill)
        connection.execute(sql.SQL("TRUNCATE {}").format(objects.queue))
        index.build(connection, objects)
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(objects.passages))


def _measure(db: Database, encoder: _Vectors, kind: str, queries: int, exact: int) -> WordsResult:
    chosen = random.Random(kind)  # noqa: S311 - the same queries each time
    common, rare = QUERIES[kind]
    collection = db.collection(NAME)
    every = Ranking((), (LEXICAL,), Alone(LEXICAL.name))
    milliseconds, found = [], []
    for number in range(queries + 1):
        named = [f"w{rank}" for rank in chosen.sample(range(1, COMMON + 1), common)]
        named += [f"w{int(VOCABULARY ** chosen.uniform(0.4, 1))}" for _ in range(rare)]
        asked = encoder.encode_query(" ".join(named))
        started = time.perf_counter()
        hits = db.run(collection, Search(100, 100, stage="lexical"), asked)
        if number:  # the first one warms up
            milliseconds.append((time.perf_counter() - started) * 1000)
        if 0 < number <= exact:
            best = db.run(collection, Search(10, 10, stage=every), asked)
            # passages with the same score are as good
            found.append(sum(hit.score > best[-1].score - 1e-6 for hit in hits[: len(best)]) / len(best))
    cuts = statistics.quantiles(milliseconds, n=20, method="inclusive") if queries > 1 else milliseconds * 20
    recall = statistics.mean(found) if found else None
    return WordsResult(kind, statistics.median(milliseconds), cuts[18], recall)


def _insert(db: Database, encoder: _Vectors, passages: int, inserts: int) -> tuple[float, float]:
    """Insert more rows, and return the seconds of writing their passages, with words and without."""
    text = as_text(query("bench_words").format(vocabulary=sql.Literal(VOCABULARY)))
    with db.connection() as connection:
        connection.execute(
            f"INSERT INTO {NAME}.rows SELECT i, ({text}) FROM pg_catalog.generate_series({passages + 1},"
            f" {passages + inserts}) AS i".encode()
        )
    seconds = []
    for name in (NAME, PLAIN):
        started = time.perf_counter()
        db.sync(name, encoder=encoder)
        seconds.append(time.perf_counter() - started)
    return seconds[0], seconds[1]
