"""Measures ingestion with a real model: a whole backfill compared with the model alone on the same batches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from pgencoder.bench.scratch import detach_if_there
from pgencoder.database import Database
from pgencoder.encoders import Encoder, Window, load, windows_of
from pgencoder.errors import InvalidRequest
from pgencoder.evaluation import beir
from pgencoder.results import SyncReport
from pgencoder.types import Chunking, Dims, Encoding, Fingerprint

NAME = "bench_ingest"
WARM_UP = 32

OnRun = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestRun:
    """The seconds of one backfill, and then of the model alone on the same batches.

    `backfill_seconds` include attach, sync and the HNSW index. The model worked for `encode_seconds` of them, beside
    other work that slows it down.
    """

    backfill_seconds: float
    encode_seconds: float
    model_seconds: float


@dataclass(frozen=True)
class IngestReport:
    """The result of a benchmark of ingestion.

    `ratio` is the seconds of all backfills divided by the seconds of the model. `peak_mib` is the most memory that this
    process used.
    """

    documents: int
    passages: int
    chunking: Chunking
    runs: list[IngestRun]
    ratio: float
    peak_mib: float

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


class Recorder:
    """An encoder that remembers the texts of each call."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.batches: list[list[str]] = []

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the encoder."""
        return self.encoder.fingerprint

    @property
    def dims(self) -> Dims:
        """The dimensions of the encoder."""
        return self.encoder.dims

    @property
    def windows(self) -> Sequence[Window]:
        """The windows of the encoder, if it has any."""
        return windows_of(self.encoder)

    def encode_documents(self, texts: Sequence[str]) -> list[Encoding]:
        """Remember the texts and encode them."""
        self.batches.append(list(texts))
        return self.encoder.encode_documents(texts)

    def encode_query(self, text: str) -> Encoding:
        """Encode a query; it is not remembered."""
        return self.encoder.encode_query(text)

    def again(self) -> float:
        """Encode the same texts in the same calls, and return the seconds."""
        started = time.perf_counter()
        for texts in self.batches:
            self.encoder.encode_documents(texts)
        return time.perf_counter() - started


@dataclass(frozen=True)
class IngestOptions:
    """The size of a benchmark: the first `documents` or all, and how often it runs."""

    documents: int | None = None
    chunking: Chunking = "default"
    runs: int = 3

    def __post_init__(self) -> None:
        for name, number in (("documents", self.documents), ("runs", self.runs)):
            if number is not None and number < 1:
                raise InvalidRequest(f"{name} must be at least 1, got {number}")


def ingest(
    db: Database,
    dataset: beir.Dataset,
    options: IngestOptions,
    encoder: Encoder | None = None,
    on_run: OnRun | None = None,
) -> IngestReport:
    """Backfill the documents of a data set, then encode the same batches with the encoder alone; repeat for each run.

    The default `encoder` is the default model. `on_run` is called with the number of finished runs and of all runs.
    """
    encoder = load() if encoder is None else encoder
    beir.load_documents(db, dataset, options.documents)
    encoder.encode_documents([text for _, _, text in islice(dataset.documents(), WARM_UP)])
    measured: list[IngestRun] = []
    for i in range(options.runs):
        if on_run is not None:
            on_run(i, options.runs)
        run, report = _run(db, dataset, Recorder(encoder), options.chunking)
        measured.append(run)
    ratio = sum(run.backfill_seconds for run in measured) / sum(run.model_seconds for run in measured)
    return IngestReport(report.rows, report.passages, options.chunking, measured, ratio, peak_mib())


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
    """Return the most memory that this process has used, in MiB."""
    import resource  # only Unix has it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
