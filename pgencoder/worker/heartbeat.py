"""Extends the leases of what is in flight, and tells the others what a worker does and how fast."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from pgencoder.db.connection import Connection, connected
from pgencoder.encoders import Placed, model_names
from pgencoder.ingest.queue import execute
from pgencoder.statements import query
from pgencoder.worker.generations import Generations
from pgencoder.worker.record import Record
from pgencoder.worker.retrying import FAILURES, error_line
from pgencoder.worker.work import WorkSource

BEAT_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Heartbeat:
    """Extends the leases of the sources' work and renews the worker's row, every ten seconds or sooner."""

    def __init__(
        self,
        engine: sa.Engine,
        lease: float,
        record: Record,
        generations: Generations,
        sources: Sequence[WorkSource],
    ) -> None:
        self.waiting = True
        self._id = uuid.uuid4()
        self._engine = engine
        self._lease = lease
        self._record = record
        self._generations = generations
        self._sources = sources
        self._done = threading.Event()

    def identity(self) -> dict[str, Any]:
        """Return where this worker runs."""
        return {"worker": str(self._id), "host": socket.gethostname(), "pid": os.getpid()}

    @contextmanager
    def extending(self, *, register: bool = False) -> Iterator[None]:
        """Extend leases until the block ends."""
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
        """Extend leases and be listed among the workers until the block ends."""
        with connected(self._engine) as connection:
            execute(connection, query("forget_workers"), [])
            self._renew(connection)
        try:
            with self.extending(register=True):
                yield
        finally:
            with suppress(*FAILURES), connected(self._engine) as connection:
                execute(connection, query("end_worker"), [self._id])

    def wait_for_changes(self, waiting: bool) -> None:
        """Tell writers if they have to notify this worker."""
        self.waiting = waiting
        with suppress(*FAILURES), connected(self._engine) as connection:
            execute(connection, query("worker_waits"), [waiting, self._id])

    def _run(self, register: bool) -> None:
        while not self._done.wait(min(self._lease / 3, BEAT_SECONDS)):
            try:
                with connected(self._engine) as connection:
                    for source in self._sources:
                        source.extend_leases(connection)
                    if register:
                        self._renew(connection)
            except Exception as error:  # the next beat may be better; without any, leases would lapse unnoticed
                logger.warning("no heartbeat: %s", error_line(error), extra={"error": error_line(error)})

    def _renew(self, connection: Connection) -> None:
        encoders = list(self._generations.encoders.values())
        devices = sorted({str(encoder.device) for encoder in encoders if isinstance(encoder, Placed)})
        execute(
            connection,
            query("renew_worker"),
            [
                self._id,
                socket.gethostname(),
                os.getpid(),
                sorted({model_names(encoder.fingerprint) for encoder in encoders}),
                ", ".join(devices) or None,
                self.waiting,
                self._record.rows,
                self._record.passages,
                self._record.failures,
                json.dumps(self._record.rates()),
                "; ".join(self._generations.all_problems()) or None,
            ],
        )
