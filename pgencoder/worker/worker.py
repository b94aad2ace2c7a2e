"""A worker: drains the queues, waits for more, and says that it lives.

NOTIFY wakes it and polling is the truth: what a notification missed is found at the next look. It keeps no state in a
session but LISTEN, so a transaction pooler may stand between. Where the server is out of reach it waits and goes on;
its claims come back by themselves if it does not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from psycopg import errors as pg

from pgencoder.db.connection import Connection, connected
from pgencoder.errors import FingerprintMismatch, InvalidRequest, PgencoderError
from pgencoder.ingest import backfill, index, queue
from pgencoder.ingest.backfill import Progress, patiently
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.ingest.reconcile import reconcile
from pgencoder.ingest.target import Target
from pgencoder.results import SyncReport
from pgencoder.worker.heartbeat import Heartbeat, Tally
from pgencoder.worker.pipeline import Leases, Work, drain, one_line, out_of_reach, steadily
from pgencoder.worker.targets import LOCKED_SECONDS, EncoderOf, Only, Targets, every

INDEX_CHECK_SECONDS = 5.0
INDEX_PROGRESS_SECONDS = 1.0
FAILURES_OF_ALL = 8  # where so many fail and none does not, others are not tried for a while
LISTEN_SECONDS = 0.25  # a signal is heeded after at most so long

OnReport = Callable[[Target, SyncReport], None]
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

    `on_report` is called after each batch, in a thread of the worker. With `strict` what concerns a whole generation,
    such as a model that does not load, is raised; without, the generation is put aside and the others go on.
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
        self.tally = Tally()
        self._engine = engine
        self._strict = strict
        self.on_report = on_report
        self.on_index: Progress | None = None
        self._stopping = threading.Event()
        self._leases = Leases()
        self.targets = Targets(
            encoder_of,
            self._leases,
            only=only,
            lease=self.options.lease,
            batch_rows=self.options.batch_rows,
            strict=strict,
        )
        self._heartbeat = Heartbeat(engine, self._leases, self.options.lease, self.tally, self.targets)
        self._reconciled = time.monotonic()
        self._indexes = False
        self._index_checked = 0.0
        self._indexing: threading.Thread | None = None
        self._reconciling: threading.Thread | None = None

    def stop(self) -> None:
        """End after the forward pass that runs: write what is complete and give back the rest."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop`; raises only what keeps it from beginning."""
        with connected(self._engine):
            pass
        self._indexes = True
        with self._heartbeat.registered(), Ear(self._engine) as ear:
            logger.info("started", extra=self._heartbeat.identity())
            while not self._stopping.is_set():
                worked = self._drain()
                if worked and not self.tally.waiting:
                    # writers notify only a worker that waits: look again after having said so
                    self._heartbeat.wait_for_changes(True)
                    continue
                self._index()
                self._reconcile()
                if not self._stopping.is_set():
                    ear.listen(min(self.options.poll, self.targets.aside_for()), self._stopping)
        for beside in (self._indexing, self._reconciling):
            if beside is not None:
                beside.join()
        logger.info("stopped", extra={"rows": self.tally.rows, "failures": self.tally.failures})

    def look(self) -> int:
        """How many rows wait in all."""
        with connected(self._engine) as connection:
            self.targets.refresh(connection)
            return sum(queue.waiting(connection, target.objects) for target in self.targets.current)

    def run_once(self) -> None:
        """Work until nothing is ready, and build the indexes that are due."""
        with self._heartbeat.extending():
            while self._drain() or self._wait_for_locks():
                pass
        if not self._stopping.is_set():
            with connected(self._engine) as connection:
                due = self._due(connection)
            for target in due:
                self._build(target)

    def _wait_for_locks(self) -> bool:
        """Wait a moment if something could not be written; False if nothing is in the way."""
        if not self.targets.locked or self._stopping.is_set():
            return False
        self._stopping.wait(min(self.targets.aside_for(), LOCKED_SECONDS))
        return True

    def _drain(self) -> bool:
        try:
            return drain(self._fetch, self._encode, self._store)
        except Exception as error:
            if self._strict or not (out_of_reach(error) and self._stopping.is_set()):
                raise
            logger.warning("stopped while the database was out of reach; claims come back when their leases end")
            return False

    def _reconcile(self) -> None:
        """Begin to compare all rows with their passages, if that is due, beside the work."""
        if self.options.reconcile is None or time.monotonic() - self._reconciled < self.options.reconcile:
            return
        if self._reconciling is None or not self._reconciling.is_alive():
            self._reconciling = threading.Thread(target=self._compare, name="reconcile", daemon=True)
            self._reconciling.start()

    def _compare(self) -> None:
        for target in self.targets.current:
            try:
                with connected(self._engine) as connection:
                    report = reconcile(connection, target.objects, stopped=self._stopping.is_set)
            except (PgencoderError, pg.Error, sa.exc.DBAPIError) as error:
                name, said = target.objects.generation.passages, one_line(error)
                logger.warning("could not reconcile %s: %s", name, said, extra={"generation": name, "error": said})
                continue
            self._tell("reconciled", target, asdict(report))
        self._reconciled = time.monotonic()

    def _fetch(self) -> Work | None:
        def fetch() -> Work | None:
            with connected(self._engine) as connection:
                return self.targets.fetch(connection)

        if self._stopping.is_set():
            return None
        if self._indexes and time.monotonic() - self._index_checked > INDEX_CHECK_SECONDS:
            self._index()
        work = fetch() if self._strict else steadily(fetch, self._stopping)
        if work is not None and len(work.batch.claim.seqs) == self.options.batch_rows and self.tally.waiting:
            self._heartbeat.wait_for_changes(False)
        return work

    def _encode(self, work: Work) -> None:
        work.target.encode(work.batch, lambda: not self._stopping.is_set())

    def _store(self, work: Work) -> None:
        passages = work.target.objects.generation.passages

        def write() -> SyncReport:
            with connected(self._engine) as connection:
                return work.target.write(connection, work.batch)

        try:
            report = patiently(write) if self._strict else steadily(write, self._stopping)
        except Exception as error:
            if self._strict or out_of_reach(error):
                raise
            # its index is being built, it was dropped, perhaps made anew, or rights are missing
            soon = isinstance(error, pg.LockNotAvailable | FingerprintMismatch)
            self.targets.put_aside(passages, error, *([LOCKED_SECONDS] if soon else []))
            self._release(work)
            return
        finally:
            self._leases.drop(work.batch.claim)
        self.tally.add(passages, report)
        # of the encoder, or what the server said to what it made
        if work.batch.error is not None and report.failed >= FAILURES_OF_ALL and not report.passages:
            self.targets.put_aside(passages, work.batch.error)  # it is not the rows that are bad
        self._tell_failures(work)
        self._tell("batch of", work.target, asdict(report))
        if self.on_report is not None:
            self.on_report(work.target, report)

    def _tell_failures(self, work: Work) -> None:
        """One line for each row that failed; as text it has all that is known, whatever the handler's format."""
        collection, generation = work.target.objects.collection, work.target.objects.generation
        for number, message in work.batch.errors.items():
            key, attempt = work.batch.claim.keys[number], work.batch.claim.attempts[number]
            named = ", ".join(f"{column.source}={value}" for column, value in zip(collection.key, key, strict=True))
            logger.warning(
                "%s: the row %s cannot be encoded (attempt %s): %s", collection.name, named, attempt, message,
                extra={"collection": collection.name, "generation": generation.passages, "key": key,
                       "attempt": attempt, "error": message},
            )  # fmt: skip

    def _tell(self, what: str, target: Target, report: Mapping[str, Any]) -> None:
        """One line with the numbers of a report, but for those that are 0."""
        counts = {name: value for name, value in report.items() if value}
        text = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in counts.items()
        )
        name = target.objects.generation.passages
        logger.info("%s %s: %s", what, name, text, extra={"generation": name, **counts})

    def _release(self, work: Work) -> None:
        try:
            with connected(self._engine) as connection:
                queue.release(connection, work.target.objects, work.batch.claim)
        except (PgencoderError, pg.Error):
            logger.debug("could not give a batch back", exc_info=True)

    def _due(self, connection: Connection) -> list[Target]:
        """The targets whose rows are encoded and whose index is not there; what failed lately has to wait.

        With `strict` nothing waits: whoever calls `sync` wants it now.
        """
        due = []
        failures = index.failures(connection)
        for target in self.targets.current:
            generation = target.objects.generation
            # asked each time: an index goes with its generation, whose number may come again
            if backfill.indexed(connection, generation):
                self.targets.index_problems.pop(generation.passages, None)
                continue
            failure = failures.get((generation.collection, generation.number))
            if failure is not None:
                self.targets.index_problems[generation.passages] = f"{generation.passages}: {failure}"
            if failure is None or failure.wait <= 0 or self._strict:
                with connection.transaction():
                    index.lift_timeouts(connection)
                    if backfill.ready_to_index(connection, target.objects):
                        due.append(target)
        return due

    def _index(self) -> None:
        """Begin to build an index that is due, beside the work."""
        self._index_checked = time.monotonic()
        if self._indexing is not None and self._indexing.is_alive():
            return
        try:
            with connected(self._engine) as connection:
                due = self._due(connection)
        except (PgencoderError, pg.Error, sa.exc.DBAPIError) as error:
            logger.warning("cannot see which indexes are to be built: %s", one_line(error))
            return
        for target in due[:1]:
            self._indexing = threading.Thread(target=self._build, args=[target], name="index", daemon=True)
            self._indexing.start()

    def _build(self, target: Target) -> None:
        generation = target.objects.generation
        started = time.perf_counter()

        connections: list[Connection] = []

        def build() -> bool:
            with connected(self._engine) as connection:
                connections.append(connection)
                try:
                    return index.build(connection, target.objects)
                finally:
                    connections.clear()  # what it does next is not ours to cancel

        with ThreadPoolExecutor(1, "build") as building:
            built = building.submit(build)
            while wait([built], timeout=INDEX_PROGRESS_SECONDS).not_done:
                self._say_how_far(target)
                if self._stopping.is_set():
                    for connection in list(connections):
                        connection.cancel_safe()  # another worker begins anew
        if (error := built.exception()) is not None:
            if not isinstance(error, PgencoderError | pg.Error | sa.exc.DBAPIError):
                raise error
            if not self._stopping.is_set():
                self._not_built(target, error)
        elif built.result():
            self.tally.indexes += 1
            self.targets.index_problems.pop(generation.passages, None)
            seconds = round(time.perf_counter() - started, 1)
            extra = {"index": generation.index, "seconds": seconds}
            logger.info("index %s built in %s s", generation.index, seconds, extra=extra)

    def _not_built(self, target: Target, error: BaseException) -> None:
        """Remember why an index could not be built, once the server answers again, and say so."""
        generation = target.objects.generation

        def note() -> index.Failure | None:
            with connected(self._engine) as connection:
                index.note_failure(connection, generation, error)
                return index.failure(connection, generation)

        problem = f"{generation.passages}: the index cannot be built, {one_line(error)}"
        try:
            if (known := note() if self._strict else steadily(note, self._stopping)) is not None:
                problem = f"{generation.passages}: {known}"
        except (PgencoderError, pg.Error, sa.exc.DBAPIError):
            logger.debug("could not note a failure", exc_info=True)
        self.targets.index_problems[generation.passages] = problem
        logger.warning("%s", problem, extra={"index": generation.index, "error": str(error)})

    def _say_how_far(self, target: Target) -> None:
        """Pass on what the server says of an index that it builds."""
        with suppress(PgencoderError, pg.Error, sa.exc.DBAPIError), connected(self._engine) as connection:
            state = backfill.index_progress(connection, target.objects)
            if state is not None and state[2]:
                phase, done, total = state
                name = target.objects.generation.index
                extra = {"index": name, "phase": phase, "done": done, "total": total}
                logger.info("building the index %s: %s, %s of %s tuples", name, phase, done, total, extra=extra)
                if self.on_index is not None:
                    self.on_index(done, total)


class Ear:
    """Hears notifications where the connection lets them through; elsewhere it only waits."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None

    def __enter__(self) -> Ear:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._close()

    def listen(self, seconds: float, stopping: threading.Event) -> None:
        """Return at the first notification, after `seconds`, or soon after `stopping` is set.

        It returns at once when it has only begun to listen: what happened before was not heard.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not stopping.is_set():
            try:
                if self._connection is None:
                    self._open()
                    return
                if next(self._driver.notifies(timeout=min(left, LISTEN_SECONDS), stop_after=1), None) is not None:
                    return
            except (pg.Error, sa.exc.DBAPIError):
                self._close()
                stopping.wait(min(left, 1.0))

    def _open(self) -> None:
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._driver.execute("LISTEN pgencoder")

    @property
    def _driver(self) -> Connection:
        assert self._connection is not None
        driver: Connection = self._connection.connection.driver_connection  # type: ignore[assignment]
        return driver

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(pg.Error):
                self._driver.execute("UNLISTEN pgencoder")  # a pooler would keep it for the next client
            # not back into the pool either: it may be broken
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
