"""A worker: asks its sources of work in turn, waits for more, and says that it lives.

NOTIFY wakes it and polling is the truth: it finds what a notification missed at the next look. It keeps no state in a
session but LISTEN, so a transaction pooler may stand between. Where the server is out of reach it waits and goes on;
its claims come back by themselves if it does not.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from pgencoder.db.connection import Connection, connected
from pgencoder.db.locks import patiently
from pgencoder.errors import InvalidRequest
from pgencoder.ingest import queue
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.worker.backfill import Backfill
from pgencoder.worker.changed_rows import ChangedRows
from pgencoder.worker.comparison import Comparison
from pgencoder.worker.generations import LOCKED_SECONDS, EncoderOf, Generations, Only, every
from pgencoder.worker.heartbeat import Heartbeat
from pgencoder.worker.index_builds import IndexBuilds
from pgencoder.worker.notifications import Notifications
from pgencoder.worker.pipeline import drain
from pgencoder.worker.record import OnReport, Record
from pgencoder.worker.retrying import FAILURES, error_line, out_of_reach, steadily
from pgencoder.worker.term_counts import TermCounts
from pgencoder.worker.work import Work, WorkSource

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerOptions:
    """Seconds that a claim holds without news, seconds between two looks at the queues, and rows in a batch.

    `reconcile` is how many seconds lie between two comparisons of all rows with their passages; None: there are none.
    """

    lease: float = queue.LEASE_SECONDS
    poll: float = 5.0
    batch_rows: int = BATCH_ROWS
    reconcile: float | None = None

    def __post_init__(self) -> None:
        for name in ("lease", "poll", "batch_rows", "reconcile"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InvalidRequest(f"{name} must be more than 0, got {value}")


class Worker:
    """Works on the generations that `only` chooses until `stop` is called; `encoder_of` gives a generation's encoder.

    `on_report` is called after each batch, in a thread of the worker. With `strict` it raises what concerns a whole
    generation, for example a model that does not load; without, it puts the generation aside and goes on with others.

    `sources` are its sources of work. Where the model is needed the first source that has something gets it, even
    between two forward passes of a batch.
    """

    def __init__(
        self,
        engine: sa.Engine,
        encoder_of: EncoderOf,
        options: WorkerOptions | None = None,
        *,
        only: Only = every,
        strict: bool = False,
        on_report: OnReport | None = None,
    ) -> None:
        self.options = options if options is not None else WorkerOptions()
        self.record = Record(on_report)
        self.generations = Generations(encoder_of, only=only, strict=strict)
        self._engine = engine
        self._strict = strict
        self._stopping = threading.Event()
        self.sources: list[WorkSource] = [
            ChangedRows(self.generations, self.record, self.options.batch_rows, self.options.lease),
            Backfill(self.generations),
            IndexBuilds(engine, self.generations, self.record, self._stopping),
            TermCounts(self.generations, self.record),
        ]
        if self.options.reconcile is not None:
            self.sources.append(Comparison(self.generations, self.options.reconcile, self._stopping))
        self._heartbeat = Heartbeat(engine, self.options.lease, self.record, self.generations, self.sources)
        self._place = 0  # of the source whose work has the model
        self._asked: dict[WorkSource, float] = {}
        self._beside: dict[WorkSource, threading.Thread] | None = None  # None: `run_once` does it at the end

    def stop(self) -> None:
        """End after the forward pass that runs: write what is complete and give back the rest."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`; raise only what keeps it from beginning."""
        with connected(self._engine):
            pass
        self._beside = {}
        with self._heartbeat.registered(), Notifications(self._engine) as notifications:
            logger.info("started", extra=self._heartbeat.identity())
            while not self._stopping.is_set():
                worked = self._drain()
                if worked and not self._heartbeat.waiting:
                    # writers notify only a worker that waits: look again after having said so
                    self._heartbeat.wait_for_changes(True)
                elif not self._stopping.is_set():
                    due_in = min(source.due_in() for source in self.sources)
                    notifications.wait(min(self.options.poll, due_in), self._stopping)
        for thread in self._beside.values():
            thread.join()
        self._beside = None
        logger.info("stopped", extra={"rows": self.record.rows, "failures": self.record.failures})

    def look(self) -> int:
        """Return how many rows wait in all."""
        with connected(self._engine) as connection:
            self._ask_others(connection)
            return sum(queue.count_waiting(connection, target.objects) for target in self.generations.targets)

    def run_once(self) -> None:
        """Work until nothing is ready, then do the work of the sources that run beside: build the indexes."""
        with self._heartbeat.extending():
            while self._drain() or self._wait_for_others():
                pass
        for source in self.sources:
            if source.runs == "beside":
                self._finish(source)

    def _wait_for_others(self) -> bool:
        """Wait a moment if a lock or a service is in the way; return False if nothing is."""
        blocked = [source for source in self.sources if source.blocked()]
        if not blocked or self._stopping.is_set():
            return False
        self._stopping.wait(min(LOCKED_SECONDS, *(source.due_in() for source in blocked)))
        return True

    def _drain(self) -> bool:
        self._asked.clear()  # it had nothing to do: it asks everybody
        try:
            return drain(self._fetch, self._encode, self._store)
        except Exception as error:
            if self._strict or not (out_of_reach(error) and self._stopping.is_set()):
                raise
            logger.warning("stopped while the database was out of reach; claims come back when their leases end")
            return False

    def _fetch(self) -> Work | None:
        """Return the next piece of work for the model; do or begin what needs none."""

        def find() -> Work | None:
            with connected(self._engine) as connection:
                self._ask_others(connection)
                # while a batch is encoded, more urgent sources are left to `_encode`, which does not wait for its end
                return self._first(connection, self._place, len(self.sources))

        if self._stopping.is_set():
            return None
        work = find() if self._strict else steadily(find, self._stopping)
        self._place = 0 if work is None else work.place
        if work is not None and work.more and self._heartbeat.waiting:
            self._heartbeat.wait_for_changes(False)
        return work

    def _first(self, connection: Connection, start: int, end: int) -> Work | None:
        """Return the first piece of work for the model from the sources from `start` to `end`."""
        for place, source in enumerate(self.sources[start:end], start):
            if source.runs == "model" and (work := source.next(connection)) is not None:
                work.place = place
                return work
        return None

    def _encode(self, work: Work) -> None:
        """Run the model for a piece of work; before each forward pass, do what is more urgent, or end."""
        for _ in work.encode():
            if work.place and not self._stopping.is_set():
                self._do_urgent(work.place)
            if self._stopping.is_set():
                return

    def _do_urgent(self, place: int) -> None:
        """Do all work of the sources before `place`; errors must not harm the work that waits for it."""
        try:
            while not self._stopping.is_set():
                with connected(self._engine) as connection:
                    urgent = self._first(connection, 0, place)
                if urgent is None:
                    return
                try:
                    self._encode(urgent)
                finally:
                    self._store(urgent)
        except Exception as error:
            logger.warning("cannot do urgent work: %s", error_line(error), extra={"error": error_line(error)})

    def _store(self, work: Work) -> None:
        """Write a piece of work, or give it back."""

        def write() -> None:
            with connected(self._engine) as connection:
                work.write(connection)

        try:
            patiently(write) if self._strict else steadily(write, self._stopping)
        except Exception as error:
            if self._strict or out_of_reach(error):
                raise
            work.failed(error)
            with suppress(*FAILURES), connected(self._engine) as connection:
                work.give_back(connection)
        else:
            work.written()
        finally:
            work.close()

    def _ask_others(self, connection: Connection) -> None:
        """Ask the sources that need no model, if they are due: do what is short, begin what is long."""
        now = time.monotonic()
        for source in self.sources:
            if source.runs == "model" or now - self._asked.get(source, -math.inf) < source.seconds:
                continue
            self._asked[source] = now
            if source.runs == "inline":
                while (work := source.next(connection)) is not None:
                    work.write(connection)
            elif self._beside is not None and not (source in self._beside and self._beside[source].is_alive()):
                self._begin(source, self._beside)

    def _begin(self, source: WorkSource, beside: dict[WorkSource, threading.Thread]) -> None:
        """Do all work of a source in a thread."""

        def finish() -> None:
            try:
                self._finish(source)
            except FAILURES as error:
                logger.warning("cannot look for work of %s: %s", type(source).__name__, error_line(error))

        beside[source] = threading.Thread(target=finish, name=type(source).__name__, daemon=True)
        beside[source].start()

    def _finish(self, source: WorkSource) -> None:
        """Do all work of a source that needs no model."""
        while not self._stopping.is_set():
            with connected(self._engine) as connection:
                if (work := source.next(connection)) is None:
                    return
                work.write(connection)
