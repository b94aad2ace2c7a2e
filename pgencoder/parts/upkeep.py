"""Keeps the passages of a `Database` in step with their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pgencoder import catalog, kernel
from pgencoder.catalog import status
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.encoders import Encoder, check_fingerprint, same_encoder
from pgencoder.ingest import adopt, index, queue, reconcile
from pgencoder.parts.connections import Connections
from pgencoder.parts.used_encoders import UsedEncoders
from pgencoder.progress import Progress, open_bar
from pgencoder.results import CollectionStatus, ReconcileReport, SyncReport
from pgencoder.schema import generations
from pgencoder.worker import sync
from pgencoder.worker.record import OnReport
from pgencoder.worker.worker import Worker, WorkerOptions


class Upkeep:
    """Encodes what is queued, finds what is not, and says how far it is."""

    def __init__(self, connections: Connections, encoders: UsedEncoders) -> None:
        self._connections = connections
        self._encoders = encoders

    def sync(
        self, name: str, encoder: Encoder | None, rows: int | None, progress: Progress | bool | None
    ) -> SyncReport:
        """Encode what is queued, see `Database.sync`."""
        collection = self._connections.collection(name)
        with open_bar(progress, "encoding") as on_progress:
            encode = partial(sync.sync, self._connections.own, collection, rows=rows, progress=on_progress)
            if encoder is None:
                return encode(self._encoders.of)
            fitting = [each for each in collection.generations if same_encoder(each.encoder, encoder.fingerprint)]
            if not fitting:
                check_fingerprint(collection.generation.encoder, encoder.fingerprint, "this collection")
            self._encoders.remember(encoder)
            numbers = {each.number for each in fitting}
            return encode(lambda _: encoder, only=lambda generation: generation.number in numbers)

    def worker(
        self, encoders: Sequence[Encoder], options: WorkerOptions | None, device: str | None, on_report: OnReport | None
    ) -> Worker:
        """Return a worker on all collections, see `Database.worker`."""
        for encoder in encoders:
            self._encoders.remember(encoder)
        self._encoders.device = device
        with self._connections.open():
            return Worker(self._connections.own, self._encoders.of, options, on_report=on_report)

    def adopt(self, name: str, vectors: adopt.VectorTable, generation: int | None, progress: Progress | None) -> int:
        """Take over vectors, see `Database.adopt`."""
        with self._connections.open() as connection:
            collection = catalog.collection(connection, name)
            chosen = generations.find(collection, generation)
            catalog.check_problem(connection, name)
            parts = Objects(collection, vector_schema(connection), chosen)
            return adopt.adopt(connection, parts, vectors, progress)

    def retry(self, name: str) -> int:
        """Queue again the rows that could not be encoded, see `Database.retry`."""
        with self._connections.open() as connection:
            parts = _generations(connection, name)
            index.forget_failure(connection, name)
            return sum(queue.retry(connection, each) for each in parts)

    def reconcile(self, name: str, progress: Progress | None) -> ReconcileReport:
        """Queue what triggers did not see, see `Database.reconcile`."""
        with self._connections.open() as connection:
            parts = _generations(connection, name)
            catalog.check_problem(connection, name)
            reports = [reconcile.reconcile(connection, each, progress=progress) for each in parts]
            return replace(reconcile.total(reports), warning=catalog.warning(connection, name))

    def status(self) -> list[CollectionStatus]:
        """Return the state of each collection."""
        with self._connections.open() as connection:
            index_errors = {generation: str(failure) for generation, failure in index.failures(connection).items()}
            found = catalog.collections(connection)
            return status.read(connection, found, kernel.read(connection), index_errors)


def _generations(connection: Connection, name: str) -> list[Objects]:
    """Return the objects of each generation of a collection."""
    collection = catalog.collection(connection, name)
    parts = Objects(collection, vector_schema(connection))
    return [parts.of(each) for each in collection.generations]
