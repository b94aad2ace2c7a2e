"""What a worker tells the others: that it lives, what it works with and how fast; and that its claims still hold."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from psycopg import errors as pg

from pgencoder.db.connection import Connection, connected
from pgencoder.encoders import Placed, model_names
from pgencoder.errors import PgencoderError
from pgencoder.ingest import queue
from pgencoder.results import SyncReport
from pgencoder.worker.pipeline import Leases, one_line
from pgencoder.worker.targets import Targets

BEAT_SECONDS = 10.0
RATE_SECONDS = 60.0
FORGOTTEN = "1 day"  # a worker that did not come to an end is shown so long

logger = logging.getLogger(__name__)


class Tally:
    """What a worker has done, in all and in the last minute; any thread may add to it."""

    def __init__(self) -> None:
        self.rows = 0
        self.passages = 0
        self.failures = 0
        self.batches = 0
        self.encode_seconds = 0.0
        self.indexes = 0
        self.waiting = True
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._recent: deque[tuple[float, str, int]] = deque()

    def add(self, passages: str, report: SyncReport) -> None:
        """Count one batch of the generation with this passages table."""
        with self._lock:
            self.rows += report.rows + report.deleted
            self.passages += report.passages
            self.failures += report.failed
            self.batches += 1
            self.encode_seconds += report.encode_seconds
            self._recent.append((time.monotonic(), passages, report.rows + report.deleted))

    def rates(self) -> dict[str, float]:
        """Rows a second, by passages table, in the last minute or since the start."""
        now = time.monotonic()
        span = max(1.0, min(RATE_SECONDS, now - self._started))
        rows: dict[str, int] = {}
        with self._lock:
            while self._recent and self._recent[0][0] < now - RATE_SECONDS:
                self._recent.popleft()
            for _, passages, count in self._recent:
                rows[passages] = rows.get(passages, 0) + count
        return {passages: round(count / span, 2) for passages, count in rows.items()}


class Heartbeat:
    """Extends the leases of what is in flight and renews the worker's row, every ten seconds or sooner."""

    def __init__(self, engine: sa.Engine, leases: Leases, lease: float, tally: Tally, targets: Targets) -> None:
        self._id = uuid.uuid4()
        self._engine = engine
        self._leases = leases
        self._lease = lease
        self._tally = tally
        self._targets = targets
        self._done = threading.Event()

    def identity(self) -> dict[str, Any]:
        """Where this worker runs."""
        return {"worker": str(self._id), "host": socket.gethostname(), "pid": os.getpid()}

    @contextmanager
    def extending(self, *, register: bool = False) -> Iterator[None]:
        """Extend leases meanwhile."""
        self._done.clear()
        thread = threading.Thread(target=self._run, args=[register], name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    @contextmanager
    def registered(self) -> Iterator[None]:
        """Extend leases and be seen meanwhile."""
        with connected(self._engine) as connection:
            connection.execute(
                "DELETE FROM pgencoder.worker WHERE last_seen OPERATOR(pg_catalog.<)"
                f" (pg_catalog.now() OPERATOR(pg_catalog.-) interval '{FORGOTTEN}')"
            )
            self._renew(connection)
        try:
            with self.extending(register=True):
                yield
        finally:
            with suppress(PgencoderError, pg.Error, sa.exc.DBAPIError), connected(self._engine) as connection:
                connection.execute("DELETE FROM pgencoder.worker WHERE id OPERATOR(pg_catalog.=) %s", [self._id])

    def wait_for_changes(self, waiting: bool) -> None:
        """Say whether writers are to notify this worker."""
        self._tally.waiting = waiting
        with suppress(PgencoderError, pg.Error, sa.exc.DBAPIError), connected(self._engine) as connection:
            connection.execute(
                "UPDATE pgencoder.worker SET waiting = %s WHERE id OPERATOR(pg_catalog.=) %s", [waiting, self._id]
            )

    def _run(self, register: bool) -> None:
        while not self._done.wait(min(self._lease / 3, BEAT_SECONDS)):
            try:
                with connected(self._engine) as connection:
                    self._extend(connection)
                    if register:
                        self._renew(connection)
            except Exception as error:  # the next beat may be better; without any, leases would lapse unnoticed
                logger.warning("no heartbeat: %s", one_line(error), extra={"error": one_line(error)})

    def _extend(self, connection: Connection) -> None:
        for objects, claimed in self._leases.held():
            with suppress(pg.ProgrammingError):  # dropped, or without rights: the others are to be extended still
                queue.extend(connection, objects, claimed, self._lease)

    def _renew(self, connection: Connection) -> None:
        encoders = list(self._targets.encoders.values())
        devices = sorted({str(encoder.device) for encoder in encoders if isinstance(encoder, Placed)})
        connection.execute(
            "INSERT INTO pgencoder.worker AS w (id, host, pid, models, device, waiting, rows, passages, failures,"
            " rates, problem) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET"
            " models = EXCLUDED.models, device = EXCLUDED.device, waiting = EXCLUDED.waiting,"
            " last_seen = pg_catalog.now(), rows = EXCLUDED.rows, passages = EXCLUDED.passages,"
            " failures = EXCLUDED.failures, rates = EXCLUDED.rates, problem = EXCLUDED.problem",
            [
                self._id,
                socket.gethostname(),
                os.getpid(),
                sorted({model_names(encoder.fingerprint) for encoder in encoders}),
                ", ".join(devices) or None,
                self._tally.waiting,
                self._tally.rows,
                self._tally.passages,
                self._tally.failures,
                json.dumps(self._tally.rates()),
                "; ".join(self._targets.all_problems()) or None,
            ],
        )
