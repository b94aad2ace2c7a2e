"""Builds the HNSW index of a generation, and remembers why it could not be built.

The build takes as long as it takes: it ends no earlier by a timeout that a role or a database has for its queries.
Several processes build it together in shared memory; where that has no room, as in a container, one process builds it
alone. A build that fails is tried again ever more seldom, because each attempt keeps workers from writing. The reason
is in the catalogue, where every process sees it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from psycopg import errors as pg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.ingest.backfill import indexed
from pgencoder.ingest.queue import execute
from pgencoder.types import Generation

SHORTEST_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3600
LOCK_TIMEOUT = "30s"  # workers cannot write either while the build waits for the table
MOST_MEGABYTES = 1024
SHARED_MEMORY = "no room in shared memory; in a container give it more: docker run --shm-size=1g"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why the last attempt failed, how many did, and after how many seconds the next one is due."""

    error: str
    failures: int
    wait: float

    def __str__(self) -> str:
        times = "once" if self.failures == 1 else f"{self.failures} times"
        again = f"the next attempt is in {self.wait / 60:.0f} min" if self.wait > 0 else "the next attempt is due"
        return f"the index cannot be built, {self.error} (failed {times}; {again}, or run: pgencoder retry)"


def build(connection: Connection, objects: Objects) -> bool:
    """Build the HNSW index on `dense`; False if it is there or if another process builds it.

    It comes after the rows, which is several times faster. After a failure it is built with less: a server that ran out
    of memory may not be able to say so.
    """
    if indexed(connection, objects.generation):
        return False
    known = failure(connection, objects.generation)
    before = 0 if known is None else known.failures
    parallel, raised = before < 1, before < 2
    while True:
        try:
            return _build(connection, objects, parallel, raised)
        except pg.DiskFull:
            if not parallel:
                raise
            parallel, reason = False, SHARED_MEMORY
        except pg.OutOfMemory as error:
            if not raised:
                raise
            parallel, raised, reason = False, False, _line(error)
        logger.warning("index %s: %s; one process builds it alone", objects.generation.index, reason)


def _build(connection: Connection, objects: Objects, parallel: bool, raised: bool) -> bool:
    """Build the index in one transaction, whose settings also reach a server behind a transaction pooler."""
    generation = objects.generation
    with connection.transaction():
        lift_timeouts(connection)
        lock = connection.execute(
            "SELECT FROM pgencoder.generation WHERE collection OPERATOR(pg_catalog.=) %s"
            " AND number OPERATOR(pg_catalog.=) %s FOR NO KEY UPDATE SKIP LOCKED",
            [generation.collection, generation.number],
        ).fetchone()
        if lock is None:
            return False
        connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        if not parallel:
            connection.execute("SELECT pg_catalog.set_config('max_parallel_maintenance_workers', '0', true)")
        if raised:
            _raise_memory(connection, objects)
        execute(connection, sql.SQL("SELECT {}()").format(objects.build), [])
        connection.execute(
            "UPDATE pgencoder.generation SET index_failures = 0, index_error = NULL, index_retry_at = NULL"
            " WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s"
            " AND index_failures OPERATOR(pg_catalog.>) 0",
            [generation.collection, generation.number],
        )
    return True


def lift_timeouts(connection: Connection) -> None:
    """Let the next statements of the transaction take as long as they need.

    The running statement has its timeout already, so this is a statement of its own before them.
    """
    connection.execute(
        "SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=)"
        " ANY (ARRAY['statement_timeout', 'transaction_timeout'])"
    )


def _raise_memory(connection: Connection, objects: Objects) -> None:
    """Let the graph be built in memory as long as it fits."""
    row = connection.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(objects.write)).fetchone()
    assert row is not None
    needed = row[0] * (2 * objects.generation.dims.dense + 512) >> 20
    connection.execute(
        "SELECT pg_catalog.set_config('maintenance_work_mem', %s, true)", [f"{max(64, min(MOST_MEGABYTES, needed))}MB"]
    )


def note_failure(connection: Connection, generation: Generation, error: BaseException) -> None:
    """Remember why an attempt failed: the next one waits 1, 2, 4, ... minutes, up to an hour."""
    connection.execute(
        "UPDATE pgencoder.generation SET index_failures = index_failures OPERATOR(pg_catalog.+) 1, index_error = %s,"
        " index_retry_at = pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => LEAST(%s,"
        " %s OPERATOR(pg_catalog.*) pg_catalog.power(2, LEAST(index_failures, 20))))"
        " WHERE collection OPERATOR(pg_catalog.=) %s AND number OPERATOR(pg_catalog.=) %s",
        [_line(error), LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS, generation.collection, generation.number],
    )


def failure(connection: Connection, generation: Generation) -> Failure | None:
    """Return what is known of attempts that failed; None without any."""
    return failures(connection).get((generation.collection, generation.number))


def failures(connection: Connection) -> dict[tuple[str, int], Failure]:
    """Return what is known of attempts that failed, by collection and generation."""
    rows = connection.execute(
        "SELECT collection, number, index_error, index_failures, pg_catalog.date_part('epoch',"
        " LEAST(index_retry_at, pg_catalog.now() OPERATOR(pg_catalog.+) pg_catalog.make_interval(days => 1))"
        " OPERATOR(pg_catalog.-) pg_catalog.now()) FROM pgencoder.generation WHERE index_error IS NOT NULL"
    ).fetchall()
    return {(name, number): Failure(error, count, wait or 0.0) for name, number, error, count, wait in rows}


def forget_failure(connection: Connection, name: str) -> None:
    """Let the next attempts for a collection be due at once."""
    connection.execute(
        "UPDATE pgencoder.generation SET index_failures = 0, index_error = NULL, index_retry_at = NULL"
        " WHERE collection OPERATOR(pg_catalog.=) %s",
        [name],
    )


def _line(error: BaseException) -> str:
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return " ".join(said.split())
