"""The seam between a database and a model: reads, encodes and writes what is claimed of a generation."""

from __future__ import annotations

from collections.abc import Iterator

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.encoders import Encoder
from pgencoder.ingest import queue
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.encoding import BatchEncoder
from pgencoder.ingest.reading import Reader
from pgencoder.ingest.writing import Writer
from pgencoder.results import SyncReport


class Target:
    """A generation with its encoder: reads, encodes and writes claims. One thread at a time may be in each method.

    Only `read` and `write` need a database. A batch is plain data, so `encode` can run in another process.
    """

    def __init__(self, objects: Objects, encoder: Encoder) -> None:
        self.objects = objects
        self.encoder = encoder
        self._claimer = queue.Claimer(objects)
        self._reader = Reader(objects, encoder)
        self._encoder = BatchEncoder(objects, encoder)
        self._writer = Writer(objects)

    def __repr__(self) -> str:
        return f"Target({self.objects.generation.passages!r}, {self.encoder!r})"

    def claim(
        self, connection: Connection, which: queue.Which, rows: int, lease: float, *, everywhere: bool = False
    ) -> queue.Claim:
        """Claim up to `rows` keys for `lease` seconds; only `everywhere` finds for certain what there is."""
        return self._claimer.claim(connection, which, rows, lease, everywhere=everywhere)

    def read(self, connection: Connection, claim: queue.Claim) -> Batch:
        """Read the rows of a claim and split those that have changed; vectors of passages that have not are kept."""
        return self._reader.read(connection, claim)

    def encode(self, batch: Batch) -> Batch:
        """Encode the passages that have no vectors yet and return the batch."""
        for _ in self.steps(batch):
            pass
        return batch

    def steps(self, batch: Batch) -> Iterator[None]:
        """Encode likewise, and yield before each forward pass: the caller may do something else, or end here."""
        return self._encoder.steps(batch)

    def write(self, connection: Connection, batch: Batch) -> SyncReport:
        """Write what is complete, note what failed, and give the rest back."""
        return self._writer.write(connection, batch)

    def check_writable(self, connection: Connection) -> None:
        """Raise LockNotAvailable while nobody may write passages, as while an index is built."""
        self._writer.check_writable(connection)
