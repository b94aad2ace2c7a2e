"""Measures ingestion: sync against the model alone, in one run."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from pgencoder.client import Database
from pgencoder.encoders import DEFAULT_MODEL, load
from pgencoder.evaluation import beir


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
