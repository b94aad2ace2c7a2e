"""Encodes what is queued for one collection, here and now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import connected, vector_schema
from pgencoder.db.locks import patiently
from pgencoder.ingest import backfill, queue
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.ingest.target import Target
from pgencoder.progress import Progress
from pgencoder.results import SyncReport
from pgencoder.types import Collection, Generation, check_count
from pgencoder.worker.generations import EncoderOf, Only, every
from pgencoder.worker.worker import Worker, WorkerOptions


def sync(
    engine: sa.Engine,
    collection: Collection,
    encoder_of: EncoderOf,
    *,
    only: Only = every,
    rows: int | None = None,
    progress: Progress | None = None,
) -> SyncReport:
    """Encode everything that is queued for the generations that `only` chooses, then build missing HNSW indexes.

    Rows that wait for another attempt get it now. A row that fails is left for later, with its error. An index that
    cannot be built is in the report too. With `rows` it stops after the batch in which that number is done. `progress`
    gets the rows done and the rows known.
    """
    report, waiting = SyncReport(), 0

    def on_report(_target: Target, more: SyncReport) -> None:
        nonlocal report
        report += more
        done = report.rows + report.deleted + report.failed
        if progress is not None:
            progress(done, max(waiting, done))
        if rows is not None and done >= rows:
            worker.stop()

    def chosen(generation: Generation) -> bool:
        return generation.collection == collection.name and only(generation)

    worker = Worker(engine, encoder_of, _options(rows), only=chosen, strict=True, on_report=on_report)
    started = time.perf_counter()
    _prepare(engine, collection, list(filter(chosen, collection.generations)), encoder_of)
    if progress is not None and (waiting := worker.look()):
        progress(0, waiting)
    worker.run_once()
    seconds = time.perf_counter() - started
    problems = "; ".join(worker.generations.index_problems.values()) or None
    return replace(report, seconds=seconds, index_built=worker.record.indexes > 0, index_error=problems)


def _options(rows: int | None) -> WorkerOptions:
    if rows is None:
        return WorkerOptions()
    check_count("rows", rows)
    return WorkerOptions(batch_rows=min(rows, BATCH_ROWS))


def _prepare(
    engine: sa.Engine, collection: Collection, generations: Sequence[Generation], encoder_of: EncoderOf
) -> None:
    """Queue all that is not queued yet, or that waits for another attempt."""
    with connected(engine) as connection:
        catalog.check_problem(connection, collection.name)
        objects = Objects(collection, vector_schema(connection))
        for generation in generations:
            own = objects.of(generation)
            encoder_of(generation)  # what cannot be encoded is not prepared either
            queue.retry(connection, own, rested=False)
            backfill.queue_existing(connection, own)
        if collection.name in backfill.late(connection):
            while patiently(lambda: backfill.move_late(connection, collection.name)):
                pass
