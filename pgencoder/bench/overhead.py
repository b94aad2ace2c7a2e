"""What a search costs in Python, beside the server's own time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from pgencoder.bench.rerank import SyntheticEncoder
from pgencoder.bench.scratch import scratch
from pgencoder.client import Database
from pgencoder.errors import InvalidRequest
from pgencoder.sqlalchemy import select
from pgencoder.types import Encoding

NAME = "bench_search"
PASSAGES = 2_000
QUERIES = 100
WARM = 10


@dataclass(frozen=True)
class SearchReport:
    """Medians in milliseconds, over so many queries in one run, the encoding of the query aside.

    `build_ms` is `pgencoder.select`, `compile_ms` turning that into SQL, which an engine does once for each shape.
    `search_ms` is `Database.search` and `select_ms` executing the built statement in a session. `server_ms` is what the
    server itself says of planning and running it, `driver_ms` what psycopg takes for the bare SQL.
    """

    passages: int
    queries: int
    build_ms: float
    compile_ms: float
    server_ms: float
    driver_ms: float
    select_ms: float
    search_ms: float

    def as_json(self) -> dict[str, Any]:
        """JSON values, with the time in Python beyond the server's."""
        return asdict(self) | {"python_ms": self.python_ms}

    @property
    def python_ms(self) -> float:
        """What `Database.search` takes beyond the server."""
        return self.search_ms - self.server_ms


class _Known(SyntheticEncoder):
    """Has encoded its queries before."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: dict[str, Encoding] = {}

    def encode_query(self, text: str) -> Encoding:
        if text not in self.queries:
            self.queries[text] = super().encode_query(text)
        return self.queries[text]


def search(db: Database, passages: int = PASSAGES, queries: int = QUERIES) -> SearchReport:
    """Search synthetic passages of the shape of SciFact's: 240 bit tokens of 384 dimensions, queries of 21 tokens."""
    for name, number in (("passages", passages), ("queries", queries)):
        if number < 1:
            raise InvalidRequest(f"{name} must be at least 1, got {number}")
    with scratch(db, NAME):
        encoder = _Known()
        rows = sa.Table("rows", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), schema=NAME)
        with db.connection() as connection:
            connection.execute(
                f"CREATE TABLE {NAME}.rows (id int PRIMARY KEY, body pg_catalog.text NOT NULL);"
                f" INSERT INTO {NAME}.rows SELECT i, i FROM pg_catalog.generate_series(1, {passages}) AS i"
            )
        db.attach("rows", ["body"], encoder, schema=NAME, name=NAME)
        db.sync(NAME, progress=False)
        texts = [str(1_000_000 + i) for i in range(queries)]
        for text in texts:
            encoder.encode_query(text)
        return _measure(db, encoder, rows, texts, passages)


def _measure(db: Database, encoder: _Known, rows: sa.Table, texts: list[str], passages: int) -> SearchReport:
    times: dict[str, list[float]] = {}

    def timed(name: str, run: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = run()
        times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
        return result

    def build(text: str) -> sa.Select[*tuple[Any, ...]]:
        return select(rows, text, encoder=encoder, collection=NAME)

    with db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for text in [*texts[:WARM], *texts]:
            if text == texts[0]:
                times.clear()
            statement = timed("build", lambda text=text: build(text))  # type: ignore[misc]
            compiled = timed("compile", lambda statement=statement: statement.compile(connection))  # type: ignore[misc]
            timed("select", lambda statement=statement: connection.execute(statement).all())  # type: ignore[misc]
            timed("search", lambda text=text: db.search(NAME, text, group="document", encoder=encoder))  # type: ignore[misc]
            sql, values = compiled.string.encode(), compiled.params
            timed("driver", lambda sql=sql, values=values: driver.execute(sql, values).fetchall())  # type: ignore[misc]
            (plan,) = driver.execute(b"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql, values).fetchone()[0]
            times.setdefault("server", []).append(plan["Planning Time"] + plan["Execution Time"])
    medians = {f"{name}_ms": statistics.median(values) for name, values in times.items()}
    return SearchReport(passages, len(texts), **medians)
