"""Measures MaxSim: the SQL example in circulation and both kernels here, on the same rows in one run.

Every figure is a median over the queries. A statement is run twice and the second run counts, so that all find their
pages in shared buffers; no parallel workers, except where it says two processes.
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
from pgencoder.client import Database
from pgencoder.db.connection import Connection
from pgencoder.encoders import DEFAULT_MODEL
from pgencoder.errors import InvalidRequest, NativeUnavailable
from pgencoder.evaluation import beir
from pgencoder.representations.tokens import MaxSim
from pgencoder.search import Search, search_statement
from pgencoder.search.ranking import by_maxsim
from pgencoder.types import Collection, Dims, Encoding, Fingerprint, Matrix, TokenType
from pgencoder.vectors import HalfvecArray, normalize, read_array

# The function that circulates as an example: both arrays unnested and crossed, cosine similarity of every pair, the
# largest for each query token, their sum. Written here from that description.
EXAMPLE = """
CREATE FUNCTION pg_temp.example(query {vector}.halfvec[], document {vector}.halfvec[]) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    WITH query_token AS (SELECT pg_catalog.row_number() OVER () AS n, q FROM pg_catalog.unnest(query) AS q),
    document_token AS (SELECT d FROM pg_catalog.unnest(document) AS d),
    pair AS (
        SELECT n, 1 OPERATOR(pg_catalog.-) (d OPERATOR({vector}.<=>) q) AS similarity
        FROM query_token CROSS JOIN document_token
    ),
    best AS (SELECT pg_catalog.max(similarity) AS similarity FROM pair GROUP BY n)
    SELECT pg_catalog.sum(similarity) FROM best
$$
"""
# Searches of 1-bit tokens in pure SQL, whichever kernel this database uses
SYMMETRIC = """
CREATE FUNCTION pg_temp.symmetric(query {vector}.halfvec[], document pg_catalog."bit"[]) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pgencoder.maxsim_sql(pgencoder.binary_quantize(query), document)
"""
# As many as SciFact has, but of halfvec tokens, which would be a gigabyte, only the first thousand
SYNTHETIC_DOCUMENTS: dict[TokenType, int] = {"halfvec": 1000, "bit": 5183}
SYNTHETIC_TOKENS, QUERY_TOKENS, DIMS = 240, 21, 384
SCHEMA = "pgencoder_bench"
LEAST_QUERIES = 30

Milliseconds = list[float]


@dataclass(frozen=True)
class Form:
    """A way to compute MaxSim: its name, the tokens it reads, and the function."""

    name: str
    tokens: TokenType
    function: str
    native: bool = False


FORMS = (
    Form("example_halfvec", "halfvec", "pg_temp.example"),
    Form("sql_halfvec", "halfvec", "pgencoder.maxsim_sql"),
    Form("sql_bit", "bit", "pg_temp.symmetric"),
    Form("native_halfvec", "halfvec", "pgencoder_native.maxsim", native=True),
    Form("native_bit", "bit", "pgencoder_native.maxsim", native=True),
)


@dataclass(frozen=True)
class FormResult:
    """Milliseconds to score the candidates (`rerank_ms`) and for recall and scoring in one statement (`search_ms`).

    `times_faster` and `search_times_faster` compare with the example's.
    """

    rerank_ms: float
    times_faster: float
    search_ms: float
    search_times_faster: float


@dataclass(frozen=True)
class Breakdown:
    """Where the milliseconds of a native rerank go.

    `kernel_ms` is the same kernel alone in C over the same bytes (None without a compiler), `rows_ms` the statement
    without reading tokens, `detoast_ms` what reading them adds; `other_ms` is the rest of the server's `rerank_ms`: the
    query sent and prepared, less the time that the kernel alone waits for memory, which in the server is part of
    reading; it can be negative. `ratio` is rerank_ms / kernel_ms.
    """

    kernel_ms: float | None
    rows_ms: float
    detoast_ms: float
    other_ms: float | None
    ratio: float | None


@dataclass(frozen=True)
class Exhaustive:
    """Milliseconds for native MaxSim of all passages with bit tokens.

    `expected_ms` is the rerank's time for as many documents; `faster` is expected_ms / one_process_ms,
    `parallel_speedup` one_process_ms / two_processes_ms.
    """

    passages: int
    one_process_ms: float
    two_processes_ms: float
    expected_ms: float
    faster: float
    parallel_speedup: float


@dataclass(frozen=True)
class RerankReport:
    """A benchmark of MaxSim; without the native kernel, `without_native` says why and its parts are empty."""

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
    breakdown: dict[TokenType, Breakdown]
    exhaustive: Exhaustive | None

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


class SyntheticEncoder:
    """Random unit vectors drawn from the text, which is a number; in the shape of SciFact."""

    def __init__(self) -> None:
        self.dims = Dims(DIMS, DIMS)
        self.fingerprint: Fingerprint = {"model": "synthetic", "dims": [DIMS, DIMS]}

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """240 token vectors each."""
        return [self._random(int(text), SYNTHETIC_TOKENS) for text in texts]

    def encode_query(self, text: str) -> Encoding:
        """21 token vectors."""
        return self._random(int(text), QUERY_TOKENS)

    def _random(self, seed: int, tokens: int) -> Encoding:
        made = normalize(np.random.default_rng(seed).standard_normal((tokens + 1, DIMS), dtype=np.float32))
        return Encoding(made[0], made[1:])


def rerank(
    db: Database, dataset: beir.Dataset | None, candidates: int = 100, queries: int = LEAST_QUERIES
) -> RerankReport:
    """Compare the circulating SQL example with both kernels, on a data set's documents or on synthetic ones."""
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


def _prepare(
    db: Database, dataset: beir.Dataset | None, queries: int
) -> tuple[dict[TokenType, Collection], list[Encoding]]:
    """A collection for each type of tokens, of the same documents, and the encoded queries."""
    names: dict[TokenType, str] = {}
    kinds: tuple[TokenType, ...] = ("halfvec", "bit")
    if dataset is not None:
        for kind in kinds:
            names[kind] = beir.prepare(db, dataset, DEFAULT_MODEL, None, kind, "truncate")
            db.sync(names[kind], progress=False)
        texts = list(dataset.queries.values())
        texts = texts[:: max(1, len(texts) // queries)][:queries]  # from all over, as neighbours may be alike
        collections = {kind: db.collection(name) for kind, name in names.items()}
        return collections, [db.encode_query(collections["bit"], text) for text in texts]
    encoder = SyntheticEncoder()
    existing = [collection.name for collection in db.collections()]
    for kind in kinds:
        names[kind] = f"bench_synthetic_{kind}"
        if names[kind] in existing:  # of a run that was killed
            db.detach(names[kind])
    with db.connection() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        for kind, documents in SYNTHETIC_DOCUMENTS.items():
            connection.execute(
                f'CREATE TABLE {SCHEMA}."{kind}" (id int PRIMARY KEY, body pg_catalog.text);'
                f' INSERT INTO {SCHEMA}."{kind}" SELECT i, i FROM pg_catalog.generate_series(1, {documents}) AS i'
            )
    for kind, name in names.items():
        db.attach(kind, ["body"], encoder, schema=SCHEMA, name=name, tokens=kind)
        db.sync(name, progress=False)
    return (
        {kind: db.collection(name) for kind, name in names.items()},
        [encoder.encode_query(str(10_000 + i)) for i in range(queries)],
    )


class _Bench:
    def __init__(
        self,
        db: Database,
        connection: Connection,
        collections: dict[TokenType, Collection],
        candidates: int,
        native: bool,
    ) -> None:
        self.db, self.connection, self.collections, self.candidates = db, connection, collections, candidates
        self.forms = [form for form in FORMS if native or not form.native]
        self.native = native
        self.times: dict[str, Milliseconds] = {}
        self.query_tokens: list[int] = []
        vector = sql.Identifier(db.vector_schema).as_string(connection)
        for function in (EXAMPLE, SYMMETRIC):
            connection.execute(function.format(vector=vector).encode())
        self.tables = {
            kind: sql.Identifier("pgencoder", collection.generation.passages)
            for kind, collection in collections.items()
        }
        for table in self.tables.values():
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))

    def run(self, query: Encoding) -> None:
        """Measure everything for one query."""
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
        for kind, table in self.tables.items():
            self._time(f"rows {kind}", partial(self._scored, table, "0", {"ids": ids}))
            # without a query token the document is read, and there is nothing to compare it with
            self._time(f"read {kind}", partial(self._scored, table, native, {"ids": ids, "query": nothing}))
            self._alone(kind, query.tokens, ids)
        for processes in (1, 2):
            self._workers(processes - 1)
            self._time(f"exhaustive {processes}", lambda: self._exhaustive(tokens))

    def report(self, rows: str, simd: str | None, without_native: str | None) -> RerankReport:
        """The medians."""
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
            breakdown={kind: self._breakdown(median, kind) for kind in self.tables} if self.native else {},
            exhaustive=self._exhausted(median, passages) if self.native else None,
        )

    def _breakdown(self, median: dict[str, float], kind: TokenType) -> Breakdown:
        total, rows, kernel = median[f"rerank native_{kind}"], median[f"rows {kind}"], median.get(f"kernel {kind}")
        detoast = median[f"read {kind}"] - rows
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
        """The keys of the candidates that a search would recall."""
        search = Search(self.candidates, self.candidates, stage="dense")
        return [hit.key for hit in self.db.run(self.collections["halfvec"], search, query)]

    def _rerank(self, form: Form, tokens: HalfvecArray, ids: list[Any]) -> object:
        call = f"{form.function}(%(query)s, tokens)"
        return self._scored(self.tables[form.tokens], call, {"query": tokens, "ids": ids})

    def _scored(self, table: sql.Identifier, expression: str, values: dict[str, Any]) -> object:
        statement = sql.SQL(
            f"SELECT id, {expression} AS score FROM {{}} WHERE id OPERATOR(pg_catalog.=) ANY (%(ids)s)"
            " ORDER BY 2 DESC LIMIT 10"
        )
        return self.connection.execute(statement.format(table), values).fetchall()

    def _search(self, form: Form, query: Encoding) -> Callable[[], object]:
        """The statement that a search runs, with another function for the score; built before it is timed."""
        built = search_statement(
            self.collections[form.tokens],
            Search(10, self.candidates, stage=by_maxsim(MaxSim(function=form.function))),
            query,
        ).compile(self.db.engine)
        return lambda: self.connection.execute(built.string.encode(), built.params).fetchall()

    def _exhaustive(self, tokens: HalfvecArray) -> object:
        statement = sql.SQL("SELECT id, pgencoder_native.maxsim(%(query)s, tokens) FROM {} ORDER BY 2 DESC LIMIT 10")
        return self.connection.execute(statement.format(self.tables["bit"]), {"query": tokens}).fetchall()

    def _alone(self, kind: TokenType, query: Matrix, ids: list[Any]) -> None:
        """Time the kernel over the candidates' tokens in this process's memory."""
        rows = self.connection.execute(
            sql.SQL("SELECT pg_catalog.array_send(tokens) FROM {} WHERE id OPERATOR(pg_catalog.=) ANY (%s)").format(
                self.tables[kind]
            ),
            [ids],
            binary=True,
        )
        documents = [read_array(row[0], kind) for row in rows]
        arrays, halves = Arrays(documents, kind), normalize(query)
        with suppress(NativeUnavailable):
            self._time(f"kernel {kind}", lambda: arrays.scores(halves))

    def _shape(self) -> tuple[int, float]:
        """Passages, and tokens in one on average."""
        row = self.connection.execute(
            sql.SQL(
                "SELECT pg_catalog.count(*), pg_catalog.avg(pg_catalog.cardinality(tokens))::double precision FROM {}"
            ).format(self.tables["bit"])
        ).fetchone()
        assert row is not None
        return row[0], row[1]
