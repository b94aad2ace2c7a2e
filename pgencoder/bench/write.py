"""Measures ingestion without a model: the passages that workers write per second, each in a separate process."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

import numpy as np
import psycopg

from pgencoder.bench.scratch import create_rows, scratch
from pgencoder.database import Database
from pgencoder.errors import InvalidRequest
from pgencoder.ingest.target import Target
from pgencoder.opening import connect
from pgencoder.results import SyncReport
from pgencoder.types import Dims, Encoding, Fingerprint
from pgencoder.vectors import normalize
from pgencoder.worker.worker import Worker

NAME = "bench_write"
DIMS, TOKENS = 384, 240
CHARACTERS = 1200  # a typical text of 240 tokens
PASSAGES = 20_000


@dataclass(frozen=True)
class WriteResult:
    """The result for a number of workers, from the first claim to the last write.

    `index_seconds` is the time of the HNSW index after that.
    """

    workers: int
    passages: int
    seconds: float
    passages_per_second: float
    index_seconds: float


@dataclass(frozen=True)
class WriteReport:
    """The result of a benchmark; a passage has a dense vector and `tokens` 1-bit token vectors of `dims` dimensions."""

    passages: int
    tokens: int
    dims: int
    results: list[WriteResult]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


class NullEncoder:
    """An encoder that takes no time: the same token vectors for every text, and random dense vectors for the index."""

    def __init__(self) -> None:
        self.dims = Dims(DIMS, DIMS)
        self.fingerprint: Fingerprint = {"model": "null", "dims": [DIMS, DIMS]}
        self._random = np.random.default_rng()
        self._tokens = normalize(self._random.standard_normal((TOKENS, DIMS), dtype=np.float32))

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding for each text."""
        dense = self._random.standard_normal((len(texts), DIMS), dtype=np.float32)
        return [Encoding(each, self._tokens) for each in dense]

    def encode_query(self, text: str) -> Encoding:
        """Return one more encoding."""
        return self.encode_documents([text])[0]


def write(db: Database, passages: int = PASSAGES, workers: Sequence[int] = (1, 2)) -> WriteReport:
    """Let worker processes write passages of a null encoder at the same time, once for each number in `workers`."""
    for name, number in (("passages", passages), *(("workers", number) for number in workers)):
        if number < 1:
            raise InvalidRequest(f"{name} must be at least 1, got {number}")
    return WriteReport(passages, TOKENS, DIMS, [_together(db, passages, number) for number in workers])


def _together(db: Database, passages: int, workers: int) -> WriteResult:
    with scratch(db, NAME), _processes(db, workers) as pipes:
        create_rows(db, NAME, "passages", passages, f"pg_catalog.repeat('word ', {CHARACTERS // 5})")
        db.attach("passages", ["body"], NullEncoder(), schema=NAME, name=NAME)
        _settle(db)
        for pipe in pipes:
            pipe.recv()  # the process is ready
        for pipe in pipes:
            pipe.send(None)
        done = [pipe.recv() for pipe in pipes]
    written = sum(each.passages for each in done)
    last = max(each.last for each in done)
    seconds = last - min(each.first for each in done)
    return WriteResult(workers, written, seconds, written / seconds, max(each.end for each in done) - last)


def _settle(db: Database) -> None:
    """Run a checkpoint now if this role may, so that it does not run during the benchmark."""
    with db.connection() as connection:
        try:
            connection.execute("CHECKPOINT")
        except psycopg.errors.InsufficientPrivilege:
            return


@dataclass(frozen=True)
class _Done:
    """The passages that a worker wrote, and the times of it, by a clock that all processes share."""

    passages: int
    first: float
    last: float
    end: float


@contextmanager
def _processes(db: Database, workers: int) -> Iterator[list[Pipe]]:
    """Start processes that each work once when they receive a message, and yield their pipes."""
    context = multiprocessing.get_context("spawn")
    url = db.engine.url.render_as_string(hide_password=False)
    pipes, processes = [], []
    try:
        for _ in range(workers):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(url, there), daemon=True)
            process.start()
            there.close()
            pipes.append(here)
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()  # ends a process that still waits
        for process in processes:
            process.join(10)
            process.kill()


def _work(url: str, pipe: Pipe) -> None:
    with connect(url) as db:
        encoder = NullEncoder()
        reports: list[tuple[float, int]] = []

        def on_report(_target: Target, report: SyncReport) -> None:
            reports.append((time.monotonic(), report.passages))

        worker = Worker(
            db.own_engine,
            lambda _: encoder,
            only=lambda generation: generation.collection == NAME,
            strict=True,
            on_report=on_report,
        )
        with db.connection():
            pass
        pipe.send(None)
        try:
            pipe.recv()
        except EOFError:
            return
        first = time.monotonic()
        worker.run_once()
        end = time.monotonic()
        pipe.send(_Done(sum(count for _, count in reports), first, max((at for at, _ in reports), default=first), end))
