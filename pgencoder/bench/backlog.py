"""Measures the queue: its size after repeated changes, and the time of a claim while much is queued."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import sql

from pgencoder.bench.scratch import create_rows, scratch
from pgencoder.bench.write import NullEncoder
from pgencoder.catalog.objects import Objects
from pgencoder.database import Database
from pgencoder.db.connection import Connection, connected
from pgencoder.errors import InvalidRequest
from pgencoder.ingest import queue
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.statements import query

NAME = "bench_queue"
ROWS = 1_000_000
CHANGES, CHANGED_ROWS = 100_000, 1_000
SINGLE = 10  # every tenth change is a separate statement
MOST_CLAIMS = 100  # claims that are timed in each state of the queue
PHASES = 8  # the least number of batches; each gives one timed claim


@dataclass(frozen=True)
class Changes:
    """The queue after repeated changes of the same rows; rates for statements on all rows (`bulk`) and on one row."""

    changes: int
    rows: int
    queued: int
    bulk_per_second: float
    single_per_second: float


@dataclass(frozen=True)
class Claims:
    """The milliseconds of a claim of a whole batch, after `before` keys were claimed and finished."""

    before: int
    claims: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class QueueReport:
    """The result of a benchmark of the queue.

    `fresh` are the first claims. `worked` are claims after a quarter of the rows, without a vacuum. `held` are claims
    after another quarter, during which a transaction was open.
    """

    changes: Changes
    rows: int
    keys_per_second: float
    batch_rows: int
    fresh: Claims
    worked: Claims
    held: Claims

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


def backlog(db: Database, rows: int = ROWS, changes: int = CHANGES) -> QueueReport:
    """Change a thousand rows again and again, then queue `rows` rows and claim half of them."""
    for name, number, least in (("rows", rows, PHASES * BATCH_ROWS), ("changes", changes, 2 * SINGLE)):
        if number < least:
            raise InvalidRequest(f"{name} must be at least {least:,}, got {number}")
    with scratch(db, NAME):
        changed = _change(db, changes)
    with scratch(db, NAME):
        rate = _queue(db, rows)
        with db.connection() as connection:
            return QueueReport(changed, rows, rate, BATCH_ROWS, *_claim_half(db, connection, rows // BATCH_ROWS))


def _change(db: Database, changes: int) -> Changes:
    singles = changes // SINGLE
    rows = min(CHANGED_ROWS, changes - singles)
    rounds = (changes - singles) // rows
    _queue(db, rows)
    with db.connection() as connection:
        started = time.perf_counter()
        for i in range(rounds):
            connection.execute(query("bench_change_rows"), {"body": f"change {i} of "})
        bulk = time.perf_counter() - started
        started = time.perf_counter()
        for i in range(singles):
            connection.execute(query("bench_change_row"), {"body": f"single {i}", "id": i % rows + 1})
        single = time.perf_counter() - started
        queued = queue.count_waiting(connection, _objects(db))
    return Changes(rounds * rows + singles, rows, queued, rounds * rows / bulk, singles / single)


def _queue(db: Database, rows: int) -> float:
    """Create a table of short rows and queue them all; return the rows per second."""
    create_rows(db, NAME, "rows", rows, "pg_catalog.concat('row ', i)")
    started = time.perf_counter()
    queued = db.attach("rows", ["body"], NullEncoder(), schema=NAME, name=NAME)
    return queued / (time.perf_counter() - started)


def _claim_half(db: Database, connection: Connection, batches: int) -> tuple[Claims, Claims, Claims]:
    """Claim and finish half of the batches, in the three states of the queue."""
    objects = _objects(db)
    connection.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = 'off')").format(objects.queue))
    claimer = queue.Claimer(objects)
    timed = min(MOST_CLAIMS, batches // PHASES)

    def claims(done: int, until: int) -> Claims:
        """Claim and finish the batches from `done` to `until`, and time the last claims."""
        milliseconds = []
        for _ in range(done, until):
            started = time.perf_counter()
            claimed = claimer.claim(connection, "new", BATCH_ROWS)
            milliseconds.append((time.perf_counter() - started) * 1000)
            queue.finish(connection, objects, claimed, range(len(claimed.seqs)))
        last = milliseconds[-timed:]
        p95 = statistics.quantiles(last, n=20, method="inclusive")[18] if timed > 1 else last[0]
        return Claims((until - timed) * BATCH_ROWS, timed, statistics.median(last), p95)

    fresh, worked = claims(0, timed), claims(timed, batches // 4)
    with connected(db.own_engine) as other, other.transaction():
        other.execute("SELECT pg_catalog.pg_current_xact_id()")
        held = claims(batches // 4, batches // 2)
    return fresh, worked, held


def _objects(db: Database) -> Objects:
    return Objects(db.collection(NAME), db.vector_schema)
