"""Measures MaxSim: a widely copied SQL example and both kernels of pgencoder, on the same rows in one run.

Each figure is a median over the queries. Each statement runs twice and the second run counts, so that its pages are in
shared buffers. There are no parallel workers, except in the figures for two processes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from psycopg import sql

from pgencoder.bench.alone import Arrays
from pgencoder.bench.scratch import create_rows, detach_if_there
from pgencoder.database import Database
from pgencoder.db.connection import Connection
from pgencoder.errors import InvalidRequest, NativeUnavailable
from pgencoder.evaluation import beir
from pgencoder.representations.tokens import MaxSim
from pgencoder.search import Search, search_statement
from pgencoder.search.ranking import by_maxsim
from pgencoder.statements import query as sql_query
from pgencoder.statements import raw
from pgencoder.types import Collection, Dims, Encoding, Fingerprint, Matrix, TokenType
from pgencoder.vectors import HalfvecArray, normalize, read_array

# Statements of sql/queries that create the functions of FORMS
FUNCTIONS = ("bench_example", "bench_symmetric")
# As many as SciFact has; only a thousand with halfvec tokens, because all would take a gigabyte
SYNTHETIC_DOCUMENTS: dict[TokenType, int] = {"halfvec": 1000, "bit": 5183}
SYNTHETIC_TOKENS, QUERY_TOKENS, DIMS = 240, 21, 384
SCHEMA = "pgencoder_bench"
LEAST_QUERIES = 30
# The tokens of each collection: their type, and how many are pooled
STORED: dict[str, tuple[TokenType, int]] = {"halfvec": ("halfvec", 1), "bit": ("bit", 1), "bit_pooled": ("bit", 2)}

Milliseconds = list[float]


@dataclass(frozen=True)
class Form:
    """A way to compute MaxSim: its name, the tokens of STORED that it reads, and the function."""

    name: str
    stored: str
    function: str
    native: bool = False


FORMS = (
    Form("example_halfvec", "halfvec", "pg_temp.example"),
    Form("sql_halfvec", "halfvec", "pgencoder._maxsim_sql"),
    Form("sql_bit", "bit", "pg_temp.symmetric"),
    Form("native_halfvec", "halfvec", "pgencoder_native.maxsim", native=True),
    Form("native_bit", "bit", "pgencoder_native.maxsim", native=True),
    Form("native_bit_pooled", "bit_pooled", "pgencoder_native.maxsim", native=True),
)


@dataclass(frozen=True)
class FormResult:
    """The milliseconds to score the candidates (`rerank_ms`), and for recall and scoring together (`search_ms`).

    `times_faster` and `search_times_faster` compare them with the example.
    """

    rerank_ms: float
    times_faster: float
    search_ms: float
    search_times_faster: float


@dataclass(frozen=True)
class Breakdown:
    """The parts of the milliseconds of a native rerank.

    - `kernel_ms`: the same kernel alone in C over the same bytes; None without a compiler.
    - `rows_ms`: the statement without reading tokens.
    - `detoast_ms`: the time that reading the tokens adds.
    - `other_ms`: the rest of the server's `rerank_ms`, to send and prepare the query. It can be negative: the kernel
      alone also waits for memory, which the server does while it reads the tokens.
    - `ratio`: rerank_ms / kernel_ms.
    """

    kernel_ms: float | None
    rows_ms: float
    detoast_ms: float
    other_ms: float | None
    ratio: float | None


@dataclass(frozen=True)
class Exhaustive:
    """The milliseconds for native MaxSim of all passages with bit tokens.

    `expected_ms` is the time of the rerank for the same number of documents. `faster` is
    expected_ms / one_process_ms, and `parallel_speedup` is one_process_ms / two_processes_ms.
    """

    passages: int
    one_process_ms: float
    two_processes_ms: float
    expected_ms: float
    faster: float
    parallel_speedup: float


@dataclass(frozen=True)
class RerankReport:
    """The result of a benchmark of MaxSim; without the native kernel `without_native` has the reason.

    `tokens` is the mean number of tokens of a passage without pooling. The forms and parts whose names end in `_pooled`
    are of `pooling=2`.
    """

    rows: str
    documents: int
    candidates: int
    queries: int
    query_tokens: float
    tokens: float
    dims: int
    simd: str | None
    without_native: str | None
    forms: dict[str, FormResult]
    breakdown: dict[str, Breakdown]
    exhaustive: Exhaustive | None

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


class SyntheticEncoder:
    """An encoder that returns random unit vectors in the shape of SciFact; the text is a number, the seed."""

    def __init__(self) -> None:
        self.dims = Dims(DIMS, DIMS)
        self.fingerprint: Fingerprint = {"model": "synthetic", "dims": [DIMS, DIMS]}

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return 240 token vectors for each text."""
        return [self._random(int(text), SYNTHETIC_TOKENS) for text in texts]

    def encode_query(self, text: str) -> Encoding:
        """Return 21 token vectors."""
        return self._random(int(text), QUERY_TOKENS)

    def _random(self, seed: int, tokens: int) -> Encoding:
        made = normalize(np.random.default_rng(seed).standard_normal((tokens + 1, DIMS), dtype=np.float32))
        return Encoding(made[0], made[1:])


def rerank(
    db: Database, dataset: beir.Dataset | None, candidates: int = 100, queries: int = LEAST_QUERIES
) -> RerankReport:
    """Compare the SQL example with both kernels, on the documents of a data set or on synthetic documents."""
    for name, number in (("candidates", candidates), ("queries", queries)):
        if number < 1:
            raise InvalidRequest(f"{name} must be at least 1, got {number}")
    kernel = db.kernel()
    collections, encoded = _prepare(db, dataset, queries)
    with db.connection() as connection:
        try:
            bench = _Bench(db, connection, collections, candidates, kernel.name == "native")
            for query in encoded:
                bench.run(query)
            return bench.report(
                rows="synthetic" if dataset is None else dataset.name,
                simd=kernel.simd,
                without_native=None if kernel.name == "native" else kernel.why,
            )
        finally:
            connection.execute("DISCARD ALL")
            if dataset is None:
                for collection in collections.values():
                    db.detach(collection.name)
                connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _prepare(db: Database, dataset: beir.Dataset | None, queries: int) -> tuple[dict[str, Collection], list[Encoding]]:
    """Return a collection of the same documents for each entry of STORED, and the encoded queries."""
    if dataset is None:
        return _synthetic(db, queries)
    collections = {}
    for stored, (tokens, pooling) in STORED.items():
        name = beir.prepare(db, dataset, beir.Setup(tokens=tokens, chunking="truncate", pooling=pooling))
        db.sync(name, progress=False)
        collections[stored] = db.collection(name)
    texts = list(dataset.queries.values())
    texts = texts[:: max(1, len(texts) // queries)][:queries]  # not the first ones, because neighbours may be alike
    return collections, [db.encode_query(collections["bit"], text) for text in texts]


def _synthetic(db: Database, queries: int) -> tuple[dict[str, Collection], list[Encoding]]:
    encoder = SyntheticEncoder()
    names = {stored: f"bench_synthetic_{stored}" for stored in STORED}
    for name in names.values():
        detach_if_there(db, name)  # from a run that was killed
    with db.connection() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
    for stored, name in names.items():
        tokens, pooling = STORED[stored]
        create_rows(db, SCHEMA, stored, SYNTHETIC_DOCUMENTS[tokens], "pg_catalog.concat(i)")
        db.attach(stored, ["body"], encoder, schema=SCHEMA, name=name, tokens=tokens, pooling=pooling)
        db.sync(name, progress=False)
    return (
        {stored: db.collection(name) for stored, name in names.items()},
        [encoder.encode_query(str(10_000 + i)) for i in range(queries)],
    )


class _Bench:
    """Runs all statements for each query, and keeps their times."""

    def __init__(
        self,
        db: Database,
        connection: Connection,
        collections: dict[str, Collection],
        candidates: int,
        native: bool,
    ) -> None:
        self.db, self.connection, self.collections, self.candidates = db, connection, collections, candidates
        self.forms = [form for form in FORMS if native or not form.native]
        self.native = native
        self.times: dict[str, Milliseconds] = {}
        self.query_tokens: list[int] = []
        for name in FUNCTIONS:
            connection.execute(sql_query(name).format(vector=sql.Identifier(db.vector_schema)))
        self.tables = {
            stored: sql.Identifier("pgencoder", collection.generation.passages)
            for stored, collection in collections.items()
        }
        for table in self.tables.values():
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))

    def run(self, query: Encoding) -> None:
        """Time all statements for one query."""
        self._workers(0)
        ids = self._recalled(query)
        tokens = HalfvecArray(normalize(query.tokens))
        self.query_tokens.append(len(query.tokens))
        for form in self.forms:
            self._time(f"rerank {form.name}", partial(self._rerank, form, tokens, ids))
            self._time(f"search {form.name}", self._search(form, query))
        if not self.native:
            return
        nothing = HalfvecArray(np.empty((0, query.tokens.shape[1])))
        native = "pgencoder_native.maxsim(%(query)s, tokens)"
        for stored, table in self.tables.items():
            self._time(f"rows {stored}", partial(self._scored, table, "0", {"ids": ids}))
            # a query without tokens reads the document, but compares nothing
            self._time(f"read {stored}", partial(self._scored, table, native, {"ids": ids, "query": nothing}))
            self._alone(stored, query.tokens, ids)
        for processes in (1, 2):
            self._workers(processes - 1)
            self._time(f"exhaustive {processes}", lambda: self._exhaustive(tokens))

    def report(self, rows: str, simd: str | None, without_native: str | None) -> RerankReport:
        """Return the report, with the medians of all times."""
        median = {name: statistics.median(times) for name, times in self.times.items()}
        example, example_search = median["rerank example_halfvec"], median["search example_halfvec"]
        forms = {}
        for form in self.forms:
            alone, search = median[f"rerank {form.name}"], median[f"search {form.name}"]
            forms[form.name] = FormResult(alone, example / alone, search, example_search / search)
        passages, tokens = self._shape()
        return RerankReport(
            rows=rows,
            documents=passages,
            candidates=self.candidates,
            queries=len(self.query_tokens),
            query_tokens=statistics.mean(self.query_tokens),
            tokens=tokens,
            dims=self.collections["bit"].generation.dims.tokens,
            simd=simd,
            without_native=without_native,
            forms=forms,
            breakdown={stored: self._breakdown(median, stored) for stored in self.tables} if self.native else {},
            exhaustive=self._exhausted(median, passages) if self.native else None,
        )

    def _breakdown(self, median: dict[str, float], stored: str) -> Breakdown:
        total, rows = median[f"rerank native_{stored}"], median[f"rows {stored}"]
        kernel, detoast = median.get(f"kernel {stored}"), median[f"read {stored}"] - rows
        if kernel is None:
            return Breakdown(None, rows, detoast, None, None)
        return Breakdown(kernel, rows, detoast, total - kernel - rows - detoast, total / kernel)

    def _exhausted(self, median: dict[str, float], passages: int) -> Exhaustive:
        one, two = median["exhaustive 1"], median["exhaustive 2"]
        expected = passages / min(passages, self.candidates) * median["rerank native_bit"]
        return Exhaustive(passages, one, two, expected, expected / one, one / two)

    def _time(self, name: str, call: Callable[[], object]) -> None:
        call()
        started = time.perf_counter()
        call()
        self.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)

    def _workers(self, workers: int) -> None:
        self.connection.execute(f"SET max_parallel_workers_per_gather = {workers}")

    def _recalled(self, query: Encoding) -> list[Any]:
        """Return the keys of the candidates that a search would recall."""
        search = Search(self.candidates, self.candidates, stage="dense")
        return [hit.key for hit in self.db.run(self.collections["halfvec"], search, query)]

    def _rerank(self, form: Form, tokens: HalfvecArray, ids: list[Any]) -> object:
        call = f"{form.function}(%(query)s, tokens)"
        return self._scored(self.tables[form.stored], call, {"query": tokens, "ids": ids})

    def _scored(self, table: sql.Identifier, expression: str, values: dict[str, Any]) -> object:
        wanted = raw("id OPERATOR(pg_catalog.=) ANY (%(ids)s)")
        statement = sql_query("bench_rerank").format(score=raw(expression), passages=table, wanted=wanted)
        return self.connection.execute(statement, values).fetchall()

    def _search(self, form: Form, query: Encoding) -> Callable[[], object]:
        """Build the statement of a search with another function for the score, and return a function that runs it."""
        built = search_statement(
            self.collections[form.stored],
            Search(10, self.candidates, stage=by_maxsim(MaxSim(function=form.function))),
            query,
        ).compile(self.db.engine)
        return lambda: self.connection.execute(built.string.encode(), built.params).fetchall()

    def _exhaustive(self, tokens: HalfvecArray) -> object:
        score = raw("pgencoder_native.maxsim(%(query)s, tokens)")
        statement = sql_query("bench_rerank").format(score=score, passages=self.tables["bit"], wanted=raw("true"))
        return self.connection.execute(statement, {"query": tokens}).fetchall()

    def _alone(self, stored: str, query: Matrix, ids: list[Any]) -> None:
        """Time the kernel over the tokens of the candidates, in the memory of this process."""
        statement = sql.SQL(
            "SELECT pg_catalog.array_send(tokens) FROM {} WHERE id OPERATOR(pg_catalog.=) ANY (%(ids)s)"
        ).format(self.tables[stored])
        kind, _ = STORED[stored]
        rows = self.connection.execute(statement, {"ids": ids}, binary=True)
        documents = [read_array(row[0], kind) for row in rows]
        arrays, halves = Arrays(documents, kind), normalize(query)
        with suppress(NativeUnavailable):
            self._time(f"kernel {stored}", lambda: arrays.scores(halves))

    def _shape(self) -> tuple[int, float]:
        """Return the number of passages and their mean number of tokens."""
        row = self.connection.execute(sql_query("bench_shape").format(passages=self.tables["bit"])).fetchone()
        assert row is not None
        return row[0], row[1]
