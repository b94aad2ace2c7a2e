"""Work: indexes to be built."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from pgencoder.db.connection import Connection, connected
from pgencoder.ingest import backfill, index
from pgencoder.ingest.target import Target
from pgencoder.worker.generations import Generations
from pgencoder.worker.record import Record
from pgencoder.worker.retrying import FAILURES, error_line, steadily
from pgencoder.worker.work import Work, WorkSource

PROGRESS_SECONDS = 1.0

logger = logging.getLogger(__name__)


class IndexBuilds(WorkSource):
    """Builds the index of each generation whose rows are encoded.

    What failed lately has to wait. With `strict` generations nothing waits: whoever calls `sync` wants it now.
    """

    runs = "beside"
    seconds = 5.0

    def __init__(self, engine: sa.Engine, generations: Generations, record: Record, stopping: threading.Event) -> None:
        self.engine = engine
        self.generations = generations
        self.record = record
        self.stopping = stopping
        self._round: list[Target] | None = None

    def next(self, connection: Connection) -> Work | None:
        """Return the next index that is due in this round of all generations; None at its end."""
        if self._round is None:
            self._round = self.generations.targets
        while self._round:
            target = self._round.pop(0)
            if target in self.generations.targets and self._due(connection, target):
                return _Build(self, target)
        self._round = None
        return None

    def _due(self, connection: Connection, target: Target) -> bool:
        generation, problems = target.objects.generation, self.generations.index_problems
        # asked each time: an index goes with its generation, whose number may come again
        if backfill.indexed(connection, generation):
            problems.pop(generation.passages, None)
            return False
        failure = index.failure(connection, generation)
        if failure is not None:
            problems[generation.passages] = f"{generation.passages}: {failure}"
            if failure.wait > 0 and not self.generations.strict:
                return False
        with connection.transaction():
            index.lift_timeouts(connection)
            return backfill.ready_to_index(connection, target.objects)


class _Build(Work):
    """An index to be built."""

    def __init__(self, source: IndexBuilds, target: Target) -> None:
        self._source = source
        self._target = target

    def write(self, connection: Connection) -> None:
        """Build it, and note why if that fails."""
        generation = self._target.objects.generation
        started = time.perf_counter()
        try:
            with self._watched(connection):
                built = index.build(connection, self._target.objects)
        except FAILURES as error:
            if not self._source.stopping.is_set():
                self._not_built(error)
            return
        if built:
            self._source.record.indexes += 1
            self._source.generations.index_problems.pop(generation.passages, None)
            seconds = round(time.perf_counter() - started, 1)
            extra = {"index": generation.index, "seconds": seconds}
            logger.info("index %s built in %s s", generation.index, seconds, extra=extra)

    @contextmanager
    def _watched(self, connection: Connection) -> Iterator[None]:
        """Report the progress of the statement in the block, and cancel it when the worker is to stop."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(PROGRESS_SECONDS):
                self._say_how_far()
                if self._source.stopping.is_set() and not done.is_set():
                    connection.cancel_safe()  # another worker begins again

        thread = threading.Thread(target=watch, name="build", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()  # what the connection does next must not be cancelled

    def _not_built(self, error: BaseException) -> None:
        """Remember why an index could not be built, once the server answers again, and say so."""
        generation, source = self._target.objects.generation, self._source

        def note() -> index.Failure | None:
            with connected(source.engine) as connection:
                index.note_failure(connection, generation, error)
                return index.failure(connection, generation)

        problem = f"{generation.passages}: the index cannot be built, {error_line(error)}"
        try:
            if (known := note() if source.generations.strict else steadily(note, source.stopping)) is not None:
                problem = f"{generation.passages}: {known}"
        except FAILURES:
            logger.debug("could not note a failure", exc_info=True)
        source.generations.index_problems[generation.passages] = problem
        logger.warning("%s", problem, extra={"index": generation.index, "error": str(error)})

    def _say_how_far(self) -> None:
        """Report how far the server says that it is."""
        with suppress(*FAILURES), connected(self._source.engine) as connection:
            state = backfill.index_progress(connection, self._target.objects)
            if state is not None and state[2]:
                phase, done, total = state
                name = self._target.objects.generation.index
                extra = {"index": name, "phase": phase, "done": done, "total": total}
                logger.info("building the index %s: %s, %s of %s tuples", name, phase, done, total, extra=extra)
                if self._source.record.on_index is not None:
                    self._source.record.on_index(done, total)
