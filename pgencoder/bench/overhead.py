"""Measures what a search costs beside the HNSW scan that it is made of, and what of that is Python."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from pgencoder.bench.rerank import SyntheticEncoder
from pgencoder.bench.scratch import create_rows, detach_if_there, scratch
from pgencoder.database import Database
from pgencoder.db.connection import Connection
from pgencoder.errors import InvalidRequest
from pgencoder.results import Hit
from pgencoder.sqlalchemy import select
from pgencoder.types import Encoding, Stage
from pgencoder.vectors import Halfvec, HalfvecArray

NAME = "bench_search"
DENSE = "bench_search_dense"  # the same rows without tokens, for the search function
PASSAGES = 2_000
QUERIES = 100
WARM = 10
SEARCHES = ("dense", "adense", "function", "maxsim")


@dataclass(frozen=True)
class SearchReport:
    """Medians in milliseconds, over all queries of one run, without the encoding of the query.

    `hnsw_ms` is a prepared `SELECT key ... ORDER BY dense <#> $1 LIMIT 100`, `rerank_ms` MaxSim of as many passages by
    their keys. `dense_ms` is `Database.search` without reranking, `adense_ms` the same in an event loop, `function_ms`
    the search function of a collection without tokens, `maxsim_ms` `Database.search` with reranking. `python_ms` is the
    processor's time of `dense_ms` in this process, and the round trips are how often a search waits for the server.

    `build_ms` is `pgencoder.select`, `compile_ms` turning that into SQL, which an engine does once for each shape.
    `select_ms` is executing the built statement in a session. `server_ms` is what the server itself says of planning
    and running it, `driver_ms` what psycopg takes for the bare SQL.
    """

    passages: int
    queries: int
    hnsw_ms: float
    rerank_ms: float
    dense_ms: float
    adense_ms: float
    function_ms: float
    maxsim_ms: float
    python_ms: float
    round_trips: int
    build_ms: float
    compile_ms: float
    server_ms: float
    driver_ms: float
    select_ms: float

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, with the times as multiples of the HNSW scan."""
        return asdict(self) | {"times_hnsw": {name: getattr(self, f"{name}_ms") / self.hnsw_ms for name in SEARCHES}}


class _Known(SyntheticEncoder):
    """An encoder that remembers the encodings of its queries."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: dict[str, Encoding] = {}

    def encode_query(self, text: str) -> Encoding:
        if text not in self.queries:
            self.queries[text] = super().encode_query(text)
        return self.queries[text]


def search(db: Database, passages: int = PASSAGES, queries: int = QUERIES) -> SearchReport:
    """Search synthetic passages in the shape of SciFact: 240 bit tokens of 384 dimensions, queries of 21 tokens."""
    for name, number in (("passages", passages), ("queries", queries)):
        if number < 1:
            raise InvalidRequest(f"{name} must be at least 1, got {number}")
    detach_if_there(db, DENSE)
    with scratch(db, NAME):
        encoder = _Known()
        create_rows(db, NAME, "rows", passages, "pg_catalog.concat(i)")
        try:
            db.attach("rows", ["body"], encoder, schema=NAME, name=NAME)
            db.attach("rows", ["body"], encoder, schema=NAME, name=DENSE, tokens="none")
            for name in (NAME, DENSE):
                db.sync(name, progress=False)
            with db.connection() as connection:
                connection.execute(f"VACUUM (ANALYZE) {NAME}.rows, pgencoder.{NAME}_1, pgencoder.{DENSE}_1")
            texts = [str(1_000_000 + i) for i in range(queries)]
            return _Bench(db, encoder).report(texts, passages)
        finally:
            detach_if_there(db, DENSE)


class _Bench:
    """Runs each way to search in turn, and keeps the times."""

    def __init__(self, db: Database, encoder: _Known) -> None:
        self.db = db
        self.encoder = encoder
        self.rows = sa.Table("rows", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), schema=NAME)
        self.vector = db.vector_schema
        self.times: dict[str, list[float]] = {}

    def report(self, texts: list[str], passages: int) -> SearchReport:
        """Search for each text after a few warm-up searches, and return the medians."""
        for text in texts:
            self.encoder.encode_query(text)
        with asyncio.Runner() as loop, self.db.engine.connect() as session, self._prepares() as driver:
            for number, text in enumerate([*texts[:WARM], *texts]):
                if number == min(WARM, len(texts)):
                    self.times.clear()
                self._searches(driver, loop, text)
                self._select(session, text)
        medians = {f"{name}_ms": statistics.median(values) for name, values in self.times.items()}
        trips = round_trips(self.db, lambda: self._search(texts[0]))
        return SearchReport(passages=passages, queries=len(texts), round_trips=trips, **medians)

    @contextmanager
    def _prepares(self) -> Iterator[Connection]:
        """Open a connection like an application's, which prepares statements and has the settings of a search."""
        with self.db.connection() as connection:
            before = connection.prepare_threshold
            connection.execute("SET hnsw.ef_search = 100; SET hnsw.iterative_scan = relaxed_order")
            connection.prepare_threshold = 0
            try:
                yield connection
            finally:
                connection.prepare_threshold = before
                connection.execute("RESET hnsw.ef_search; RESET hnsw.iterative_scan")

    def _timed(self, name: str, run: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = run()
        self.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
        return result

    def _search(self, text: str, stage: Stage = "dense") -> list[Hit]:
        return self.db.search(NAME, text, stage=stage, encoder=self.encoder)

    def _searches(self, driver: Connection, loop: asyncio.Runner, text: str) -> None:
        """Search in the ways that the report compares with the scan alone; all connections are equally warm."""
        query = self.encoder.encode_query(text)
        dense, tokens = Halfvec(query.dense), HalfvecArray(query.tokens)
        scan = f"SELECT id FROM pgencoder.{NAME}_1 ORDER BY dense OPERATOR({self.vector}.<#>) %s LIMIT 100"
        score = (
            f"SELECT id, pgencoder._score(%s, tokens) FROM pgencoder.{NAME}_1 WHERE id OPERATOR(pg_catalog.=) ANY (%s)"
        )
        function = f"SELECT * FROM pgencoder.{DENSE}_search(%s, %s)"
        found = self._timed("hnsw", lambda: driver.execute(scan.encode(), [dense]).fetchall())
        keys = [key for (key,) in found]
        self._timed("rerank", lambda: driver.execute(score.encode(), [tokens, keys]).fetchall())
        self._timed("function", lambda: driver.execute(function.encode(), [dense, tokens]).fetchall())
        worked = time.thread_time()
        self._timed("dense", lambda: self._search(text))
        self.times.setdefault("python", []).append((time.thread_time() - worked) * 1000)
        asked = partial(self.db.asearch, NAME, text, stage="dense", encoder=self.encoder)
        self._timed("adense", lambda: loop.run(asked()))
        self._timed("maxsim", lambda: self._search(text, "maxsim"))

    def _select(self, session: sa.Connection, text: str) -> None:
        """Search with a statement that an application executes in its session."""
        driver: Any = session.connection.driver_connection
        built = self._timed("build", lambda: select(self.rows, text, encoder=self.encoder, collection=NAME))
        compiled = self._timed("compile", lambda: built.compile(session))
        self._timed("select", lambda: session.execute(built).all())
        sql, values = compiled.string.encode(), compiled.params
        self._timed("driver", lambda: driver.execute(sql, values).fetchall())
        (plan,) = driver.execute(b"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql, values).fetchone()[0]
        self.times.setdefault("server", []).append(plan["Planning Time"] + plan["Execution Time"])


def round_trips(db: Database, run: Callable[[], object]) -> int:
    """Return how often a call waits for the server, on the connections for the database's own statements."""
    used: set[Connection] = set()

    def note(connection: Connection, *_: object) -> None:
        used.add(connection)

    sa.event.listen(db.own_engine, "checkout", note)
    try:
        run()
    finally:
        sa.event.remove(db.own_engine, "checkout", note)
    with tempfile.TemporaryFile() as trace:
        for connection in used:
            connection.pgconn.trace(trace.fileno())
        try:
            run()
        finally:
            for connection in used:
                connection.pgconn.untrace()
        trace.seek(0)
        return trace.read().count(b"ReadyForQuery")
