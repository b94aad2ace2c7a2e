"""Work: the rows whose keys are in the queues."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from psycopg import errors as pg

from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection
from pgencoder.errors import EncoderUnavailable
from pgencoder.ingest import queue
from pgencoder.ingest.batch import Batch
from pgencoder.ingest.queue import Claim, Which
from pgencoder.ingest.target import Target
from pgencoder.results import SyncReport
from pgencoder.worker.generations import Generations
from pgencoder.worker.record import Record
from pgencoder.worker.work import Work, WorkSource

FAILURES_OF_ALL = 8  # where this many fail and none does not, others are not tried for a while
# Every second turn begins with what came back, so that neither it nor what is new waits for the other to end
TURNS: tuple[tuple[Which, ...], ...] = (("new", "again", "alone"), ("again", "alone", "new"))

logger = logging.getLogger(__name__)


class ChangedRows(WorkSource):
    """Claims a batch from each generation in turn, so that none waits for another."""

    def __init__(self, generations: Generations, record: Record, batch_rows: int, lease: float) -> None:
        self.generations = generations
        self.record = record
        self.batch_rows = batch_rows
        self._lease = lease
        self._turn = 0
        self._lock = threading.Lock()
        self._in_flight: dict[int, tuple[Objects, Claim]] = {}

    def next(self, connection: Connection) -> Work | None:
        """Claim and read the next batch; None if nothing is ready."""
        return self._next(connection) or self._next(connection, everywhere=True)

    def due_in(self) -> float:
        """Return in how many seconds a generation that was put aside is tried again."""
        return self.generations.aside_for()

    def blocked(self) -> bool:
        """Return True if something could not be written because its table was locked, or if a service is awaited."""
        return self.generations.waits

    def extend_leases(self, connection: Connection) -> None:
        """Extend the leases of all claims in flight."""
        with self._lock:
            in_flight = list(self._in_flight.values())
        for objects, claim in in_flight:
            with suppress(pg.ProgrammingError):  # dropped, or without rights: the others are to be extended still
                queue.extend(connection, objects, claim, self._lease)

    def forget(self, claim: Claim) -> None:
        """Extend the lease of a claim no longer."""
        with self._lock:
            self._in_flight.pop(id(claim), None)

    def _next(self, connection: Connection, everywhere: bool = False) -> Work | None:
        targets = self.generations.targets
        for i in range(len(targets)):
            target = targets[(self._turn + i) % len(targets)]
            passages = target.objects.generation.passages
            if self.generations.aside(passages):
                continue
            for which in TURNS[self._turn // len(targets) % 2]:
                work = self._claim(connection, target, which, everywhere)
                if work is not None:
                    self._turn += i + 1
                    return work
            if everywhere and not self._has_in_hand(passages) and not self.generations.aside(passages):
                self.generations.has_nothing(passages, partial(queue.count_waiting, connection, target.objects))
        return None

    def _has_in_hand(self, passages: str) -> bool:
        with self._lock:
            return any(objects.generation.passages == passages for objects, _ in self._in_flight.values())

    def _claim(self, connection: Connection, target: Target, which: Which, everywhere: bool) -> Work | None:
        objects = target.objects

        def claim() -> Work | None:
            # rather than encode once more what cannot be written
            self.generations.check_writable(connection, target)
            claim = target.claim(connection, which, self.batch_rows, self._lease, everywhere=everywhere)
            if not claim.seqs:
                return None
            with self._lock:
                self._in_flight[id(claim)] = objects, claim
            try:
                batch = target.read(connection, claim)
            except BaseException:
                self.forget(claim)
                with suppress(Exception):
                    queue.release(connection, objects, claim)
                raise
            self.generations.works(objects.generation.passages)
            return _BatchWork(self, target, batch)

        return self.generations.guarded(objects.generation.passages, claim)


class _BatchWork(Work):
    """A batch of rows on its way to passages."""

    def __init__(self, source: ChangedRows, target: Target, batch: Batch) -> None:
        self.more = len(batch.claim.seqs) == source.batch_rows
        self._source = source
        self._target = target
        self._batch = batch
        self._report = SyncReport()

    def encode(self) -> Iterator[None]:
        """Encode the passages that have no vectors yet, while the encoder's service answers."""
        generations, done = self._source.generations, self._done()
        failure = None
        if generations.paused(self._passages):  # since it was claimed
            return
        try:
            yield from self._target.steps(self._batch)
        except EncoderUnavailable as error:
            failure = error
        if self._done() > done:  # a service that refuses a text answers too
            generations.resume(self._passages)
        if failure is not None:
            generations.pause(self._passages, failure)

    def write(self, connection: Connection) -> None:
        """Replace the passages of the rows that are complete."""
        self._report = self._target.write(connection, self._batch)

    def written(self) -> None:
        """Report the batch; put its generation aside if nothing of it could be encoded."""
        error, report = self._batch.error, self._report
        # of the encoder, or what the server said to what it made
        if error is not None and report.failed >= FAILURES_OF_ALL and not report.passages:
            self._source.generations.put_aside(self._passages, error)  # it is not the rows that are bad
        self._tell_failures()
        if report != SyncReport():  # all was given back
            self._source.record.batch(self._target, report)

    def failed(self, error: Exception) -> None:
        """Put the generation aside: its index is being built, it was dropped or made again, or rights are missing."""
        self._source.generations.put_aside(self._passages, error)

    def give_back(self, connection: Connection) -> None:
        """Release the claim."""
        queue.release(connection, self._target.objects, self._batch.claim)

    def close(self) -> None:
        """Extend the lease no longer."""
        self._source.forget(self._batch.claim)

    def _done(self) -> int:
        return len(self._batch.vectors) + len(self._batch.errors)

    @property
    def _passages(self) -> str:
        return self._target.objects.generation.passages

    def _tell_failures(self) -> None:
        """Log one line for each row that failed; as text it has all that is known, whatever the handler's format."""
        collection, claim = self._target.objects.collection, self._batch.claim
        for number, message in self._batch.errors.items():
            key, attempt = claim.keys[number], claim.attempts[number]
            named = ", ".join(f"{column.source}={value}" for column, value in zip(collection.key, key, strict=True))
            logger.warning(
                "%s: the row %s cannot be encoded (attempt %s): %s", collection.name, named, attempt, message,
                extra={"collection": collection.name, "generation": self._passages, "key": key,
                       "attempt": attempt, "error": message},
            )  # fmt: skip
