"""Measures speed, always two things in one run: machines differ and are noisy, ratios much less."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from psycopg import sql

from pgencoder.client import Database
from pgencoder.db.connection import Connection
from pgencoder.encoders import DEFAULT_MODEL, load
from pgencoder.evaluation import beir
from pgencoder.vectors import HalfvecArray, normalize

# The function that circulates as an example: both arrays unnested and crossed, cosine similarity of every pair, the
# largest for each query token, their sum. Written here from that description.
EXAMPLE = """
CREATE FUNCTION pg_temp.example(query {vector}.halfvec[], document {vector}.halfvec[]) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
    WITH query_token AS (SELECT row_number() OVER () AS n, q FROM unnest(query) AS q),
    document_token AS (SELECT d FROM unnest(document) AS d),
    pair AS (SELECT n, 1 - (d OPERATOR({vector}.<=>) q) AS similarity FROM query_token CROSS JOIN document_token),
    best AS (SELECT max(similarity) AS similarity FROM pair GROUP BY n)
    SELECT sum(similarity) FROM best
$$
"""
SYNTHETIC_DOCUMENTS, SYNTHETIC_TOKENS, QUERY_TOKENS, DIMS = 1000, 240, 21, 384


@dataclass(frozen=True)
class RerankReport:
    """Median milliseconds to score `candidates` documents for one query; ratios are to the example's median."""

    rows: str
    documents: int
    candidates: int
    queries: int
    query_tokens: float
    tokens: float
    dims: int
    kernel: str
    example_ms: float
    sql_ms: float
    bit_ms: float
    ratio: float
    bit_ratio: float

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class IngestReport:
    """Seconds to encode documents by the model alone and by `sync`, which chunks, stores and indexes them too."""

    documents: int
    model_seconds: float
    sync_seconds: float
    ratio: float
    peak_mib: float

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def rerank(db: Database, dataset: beir.Dataset | None, candidates: int = 100, queries: int = 30) -> RerankReport:
    """Compare the circulating SQL example with the kernels here, on the same rows, without recall."""
    with db.connection() as connection:
        try:
            return _rerank(db, connection, dataset, _queries(db, connection, dataset, queries), candidates)
        finally:
            connection.execute("DISCARD ALL")


def _queries(db: Database, connection: Connection, dataset: beir.Dataset | None, queries: int) -> list[Any]:
    """Make the relation `bench` of documents, and return as many encoded queries."""
    if dataset is None:
        _synthetic(connection)
        return [_unit(QUERY_TOKENS, 10_000 + i) for i in range(queries)]
    name = beir.prepare(db, dataset, DEFAULT_MODEL, None, "halfvec", "truncate")
    db.sync(name)
    collection = db.collection(name)
    connection.execute(
        sql.SQL("CREATE TEMP VIEW bench AS SELECT row_number() OVER (ORDER BY id) AS id, tokens FROM {}").format(
            sql.Identifier("pgencoder", collection.generation.passages)
        )
    )
    texts = list(dataset.queries.values())[:queries]
    return [np.asarray(db.encode_query(collection, text).tokens) for text in texts]


def _rerank(
    db: Database, connection: Connection, dataset: beir.Dataset | None, queries: list[Any], candidates: int
) -> RerankReport:
    connection.execute(EXAMPLE.format(vector=sql.Identifier(db.vector_schema).as_string(connection)).encode())
    connection.execute("CREATE TEMP TABLE bench_id AS SELECT id FROM bench")
    generator = np.random.default_rng(0)
    ids = [row[0] for row in connection.execute("SELECT id FROM bench_id ORDER BY id")]
    connection.execute('CREATE TEMP TABLE sample (id bigint, tokens halfvec[], bits "bit"[])')
    connection.execute("ALTER TABLE sample ALTER tokens SET STORAGE EXTERNAL, ALTER bits SET STORAGE EXTERNAL")
    chosen = [int(i) for i in generator.choice(ids, min(len(ids), 10 * candidates), replace=False)]
    connection.execute(
        "INSERT INTO sample SELECT id, tokens, pgencoder.binary_quantize(tokens) FROM bench WHERE id = ANY(%s)",
        [chosen],
    )
    connection.execute("CREATE INDEX ON sample (id)")
    connection.execute("ANALYZE sample")
    connection.execute("SET max_parallel_workers_per_gather = 0")
    forms = {
        "example": "pg_temp.example(%(query)s, tokens)",
        "sql": "pgencoder.maxsim(%(query)s, tokens)",
        "bit": "pgencoder.score(%(query)s, bits)",
    }
    seconds: dict[str, list[float]] = {form: [] for form in forms}
    for i, query in enumerate([queries[0], *queries]):
        picked = [int(each) for each in generator.choice(chosen, candidates, replace=False)]
        for form, call in forms.items():
            started = time.perf_counter()
            connection.execute(
                f"SELECT id, {call} AS score FROM sample WHERE id = ANY(%(ids)s) ORDER BY score DESC LIMIT 10",
                {"query": HalfvecArray(normalize(query)), "ids": picked},
            ).fetchall()
            if i > 0:  # the first round only warms up
                seconds[form].append((time.perf_counter() - started) * 1000)
    shape = connection.execute(
        "SELECT avg(cardinality(tokens))::float8, max(vector_dims(tokens[1])), pgencoder.kernel() FROM sample"
    ).fetchone()
    assert shape is not None
    median = {form: statistics.median(times) for form, times in seconds.items()}
    return RerankReport(
        rows="synthetic" if dataset is None else dataset.name,
        documents=len(ids),
        candidates=candidates,
        queries=len(queries),
        query_tokens=float(np.mean([len(query) for query in queries])),
        tokens=shape[0],
        dims=shape[1],
        kernel=shape[2],
        example_ms=median["example"],
        sql_ms=median["sql"],
        bit_ms=median["bit"],
        ratio=median["example"] / median["sql"],
        bit_ratio=median["example"] / median["bit"],
    )


def _synthetic(connection: Connection) -> None:
    connection.execute("CREATE TEMP TABLE bench (id bigint, tokens halfvec[])")
    connection.execute("ALTER TABLE bench ALTER tokens SET STORAGE EXTERNAL")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO bench VALUES (%s, %s)",
            [(i, HalfvecArray(_unit(SYNTHETIC_TOKENS, i))) for i in range(SYNTHETIC_DOCUMENTS)],
        )


def _unit(tokens: int, seed: int) -> Any:
    return normalize(np.random.default_rng(seed).standard_normal((tokens, DIMS)))


def ingest(db: Database, dataset: beir.Dataset, documents: int | None = None) -> IngestReport:
    """Encode the documents with `SentenceTransformer.encode` alone, then attach and sync them; both in this process."""
    import resource

    from sentence_transformers import SentenceTransformer

    from pgencoder.encoders.load import location

    texts = [f"{title} {text}" for _, title, text in dataset.documents()][:documents]
    encoder = load()
    model = SentenceTransformer(location(DEFAULT_MODEL))
    model.encode(texts[:64])
    encoder.encode_documents(texts[:64])
    started = time.perf_counter()
    model.encode(texts)
    alone = time.perf_counter() - started
    beir.load_documents(db, dataset, documents)
    name = "bench_ingest"
    if name in [each.name for each in db.collections()]:
        db.detach(name)
    db.attach(dataset.name, ["title", "text"], encoder, schema=beir.SCHEMA, name=name, chunking="truncate")
    report = db.sync(name)
    db.detach(name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return IngestReport(report.rows, alone, report.seconds, report.seconds / alone, peak)
