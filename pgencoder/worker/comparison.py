"""Work: all rows to be compared with their passages."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict

from pgencoder.db.connection import Connection
from pgencoder.ingest.reconcile import reconcile
from pgencoder.ingest.target import Target
from pgencoder.worker.generations import Generations
from pgencoder.worker.record import tell
from pgencoder.worker.retrying import FAILURES, error_line
from pgencoder.worker.work import Work, WorkSource

logger = logging.getLogger(__name__)


class Comparison(WorkSource):
    """Compares each generation with its table, `every` seconds after the last time."""

    runs = "beside"

    def __init__(self, generations: Generations, every: float, stopping: threading.Event) -> None:
        self._generations = generations
        self._every = every
        self._stopping = stopping
        self._done = time.monotonic()
        self._round: list[Target] | None = None

    def next(self, connection: Connection) -> Work | None:  # noqa: ARG002
        """Return the next generation of a round that is due; None at its end."""
        if self._round is None:
            if time.monotonic() - self._done < self._every:
                return None
            self._round = self._generations.targets
        if self._round:
            return _Generation(self._round.pop(0), self._stopping)
        self._round, self._done = None, time.monotonic()
        return None


class _Generation(Work):
    """A generation to be compared."""

    def __init__(self, target: Target, stopping: threading.Event) -> None:
        self._target = target
        self._stopping = stopping

    def write(self, connection: Connection) -> None:
        """Queue what differs."""
        try:
            report = reconcile(connection, self._target.objects, stopped=self._stopping.is_set)
        except FAILURES as error:
            name, said = self._target.objects.generation.passages, error_line(error)
            logger.warning("could not reconcile %s: %s", name, said, extra={"generation": name, "error": said})
        else:
            tell("reconciled", self._target, asdict(report))
