"""Builds the HNSW index of a generation, and remembers why it could not be built.

A build has no time limit: a timeout that a role or a database has for its queries does not end it. Several processes
build it together in shared memory; where that has no room, as in a container, one process builds it alone. A build that
fails is tried again after longer and longer waits, because each attempt keeps workers from writing. The reason is in
the catalogue, so that every process sees it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from psycopg import errors as pg
from psycopg import sql

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.db.executor import Executor
from pgencoder.ingest.backfill import indexed
from pgencoder.ingest.queue import execute, set_locally
from pgencoder.statements import query
from pgencoder.types import Generation

SHORTEST_WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 3600
LOCK_TIMEOUT = "30s"  # workers cannot write either while the build waits for the table
MOST_MEGABYTES = 1024
SHARED_MEMORY = "no room in shared memory; in a container give it more: docker run --shm-size=1g"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """The error of the last attempt, the number of failures, and the seconds until the next attempt."""

    error: str
    failures: int
    wait: float

    def __str__(self) -> str:
        times = "once" if self.failures == 1 else f"{self.failures} times"
        again = f"the next attempt is in {self.wait / 60:.0f} min" if self.wait > 0 else "the next attempt is due"
        return f"the index cannot be built, {self.error} (failed {times}; {again}, or run: pgencoder retry)"


def build(connection: Connection, objects: Objects) -> bool:
    """Build the HNSW index on `dense`; return False if it is there or another process builds it.

    It is built after the rows, which is several times faster. After a failure it is built with less memory: a server
    that ran out of memory may not be able to say so.
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
        if execute(connection, query("lock_generation"), [generation.collection, generation.number]).fetchone() is None:
            return False
        set_locally(connection, "lock_timeout", LOCK_TIMEOUT)
        if not parallel:
            set_locally(connection, "max_parallel_maintenance_workers", "0")
        if raised:
            _raise_memory(connection, objects)
        execute(connection, sql.SQL("SELECT {}()").format(objects.build), [])
        execute(connection, query("forget_index_failure"), [generation.collection, generation.number])
    return True


def lift_timeouts(connection: Connection) -> None:
    """Remove the time limits of the next statements in the transaction.

    A statement that runs has its limit already, so this is a separate statement before them.
    """
    execute(connection, query("lift_timeouts"), [])


def _raise_memory(connection: Connection, objects: Objects) -> None:
    """Give the build enough memory for its graph, up to a limit."""
    row = connection.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(objects.write)).fetchone()
    assert row is not None
    needed = row[0] * sum(each.index_bytes for each in objects.generation.representations) >> 20
    set_locally(connection, "maintenance_work_mem", f"{max(64, min(MOST_MEGABYTES, needed))}MB")


def note_failure(connection: Connection, generation: Generation, error: BaseException) -> None:
    """Remember why an attempt failed; the next one waits 1, 2, 4, ... minutes, up to an hour."""
    parameters = [
        generation.collection, generation.number, _line(error), SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
    ]  # fmt: skip
    execute(connection, query("note_index_failure"), parameters)


def failure(connection: Executor, generation: Generation) -> Failure | None:
    """Return what is known of attempts that failed; None without any."""
    return failures(connection).get((generation.collection, generation.number))


def failures(connection: Executor) -> dict[tuple[str, int], Failure]:
    """Return what is known of attempts that failed, by collection and generation."""
    rows = connection.execute(query("index_failures"))
    return {(name, number): Failure(error, count, wait or 0.0) for name, number, error, count, wait in rows}


def forget_failure(connection: Connection, name: str) -> None:
    """Forget the failed attempts of a collection, so that the next ones are due at once."""
    execute(connection, query("forget_index_failure"), [name, None])


def _line(error: BaseException) -> str:
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return " ".join(said.split())
