"""Measures ingestion with a real model: a whole backfill against the model alone on the same batches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from pgencoder.bench.scratch import detach_if_there
from pgencoder.client import Database
from pgencoder.encoders import Encoder, Window, load, windows_of
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import beir
from pgencoder.results import SyncReport
from pgencoder.types import Chunking, Dims, Encoding, Fingerprint

NAME = "bench_ingest"
WARM_UP = 32

Ticker = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestRun:
    """Seconds of one backfill and of the model alone on its batches, in that order.

    `backfill_seconds` are those of attach and sync, the HNSW index included; in `encode_seconds` of them the model was
    at work, disturbed by what went on beside it.
    """

    backfill_seconds: float
    encode_seconds: float
    model_seconds: float


@dataclass(frozen=True)
class IngestReport:
    """A benchmark of ingestion: `ratio` is that of the backfills' seconds in all to the model's.

    `peak_mib` is the most memory that this process had.
    """

    documents: int
    passages: int
    chunking: Chunking
    runs: list[IngestRun]
    ratio: float
    peak_mib: float

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


class Recorder:
    """An encoder that remembers the texts of each call."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.batches: list[list[str]] = []

    @property
    def fingerprint(self) -> Fingerprint:
        """That of the encoder."""
        return self.encoder.fingerprint

    @property
    def dims(self) -> Dims:
        """Those of the encoder."""
        return self.encoder.dims

    @property
    def windows(self) -> Sequence[Window]:
        """Those of the encoder, if it has any."""
        return windows_of(self.encoder)

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """What the encoder makes of them."""
        self.batches.append(list(texts))
        return self.encoder.encode_documents(texts)

    def encode_query(self, text: str) -> Encoding:
        """What the encoder makes of it."""
        return self.encoder.encode_query(text)

    def again(self) -> float:
        """Seconds to encode the same texts in the same calls, and nothing else."""
        started = time.perf_counter()
        for texts in self.batches:
            self.encoder.encode_documents(texts)
        return time.perf_counter() - started


def ingest(
    db: Database,
    dataset: beir.Dataset,
    *,
    documents: int | None = None,
    chunking: Chunking = "default",
    runs: int = 3,
    encoder: Encoder | None = None,
    on_run: Ticker | None = None,
) -> IngestReport:
    """Backfill a data set's documents, then let the same encoder do the same batches alone, in turns `runs` times.

    `encoder` is the default model unless given; `on_run` is called with the runs done and all.
    """
    for name, number in (("documents", documents), ("runs", runs)):
        if number is not None and number < 1:
            raise InvalidRequest(f"{name} must be at least 1, got {number}")
    encoder = load() if encoder is None else encoder
    beir.load_documents(db, dataset, documents)
    encoder.encode_documents([text for _, _, text in islice(dataset.documents(), WARM_UP)])
    measured: list[IngestRun] = []
    for i in range(runs):
        if on_run is not None:
            on_run(i, runs)
        run, report = _run(db, dataset, Recorder(encoder), chunking)
        measured.append(run)
    ratio = sum(run.backfill_seconds for run in measured) / sum(run.model_seconds for run in measured)
    return IngestReport(report.rows, report.passages, chunking, measured, ratio, peak_mib())


def _run(db: Database, dataset: beir.Dataset, recorder: Recorder, chunking: Chunking) -> tuple[IngestRun, SyncReport]:
    detach_if_there(db, NAME)
    try:
        started = time.perf_counter()
        db.attach(dataset.name, ["title", "text"], recorder, schema=beir.SCHEMA, name=NAME, chunking=chunking)
        report = db.sync(NAME, encoder=recorder, progress=False)
        seconds = time.perf_counter() - started
    finally:
        detach_if_there(db, NAME)
    return IngestRun(seconds, report.encode_seconds, recorder.again()), report


def peak_mib() -> float:
    """The most memory that this process had."""
    import resource  # only Unix has it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
