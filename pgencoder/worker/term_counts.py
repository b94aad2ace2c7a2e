"""Work: terms to be counted."""

from __future__ import annotations

import logging

from pgencoder.db.connection import Connection
from pgencoder.ingest import counting
from pgencoder.ingest.target import Target
from pgencoder.worker.generations import Generations
from pgencoder.worker.record import Record
from pgencoder.worker.retrying import FAILURES, error_line
from pgencoder.worker.work import Work, WorkSource

logger = logging.getLogger(__name__)


class TermCounts(WorkSource):
    """Counts the terms of each generation of which many passages have changed.

    With `strict` generations it counts few passages after any batch: whoever calls `sync` wants exact counts.
    """

    runs = "beside"
    seconds = 5.0

    def __init__(self, generations: Generations, record: Record) -> None:
        self._generations = generations
        self._record = record
        self._counted = 0  # batches that were written when the last round began
        self._round: list[Target] | None = None
        self._exact = False

    def next(self, connection: Connection) -> Work | None:
        """Return the next generation in this round that is due; None at its end."""
        if self._round is None:
            self._round = self._generations.targets
            self._exact = self._generations.strict and self._record.batches > self._counted
            self._counted = self._record.batches
        while self._round:
            target = self._round.pop(0)
            if target not in self._generations.targets or not target.objects.counted:
                continue
            if counting.is_due(connection, target.objects, exact=self._exact):
                return _Count(target)
        self._round = None
        return None


class _Count(Work):
    """A generation whose terms are to be counted."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def write(self, connection: Connection) -> None:
        """Count; a failure is no harm, because the counts of before stay."""
        try:
            counting.count(connection, self._target.objects)
        except FAILURES as error:
            name, said = self._target.objects.generation.passages, error_line(error)
            logger.warning("could not count the terms of %s: %s", name, said, extra={"generation": name, "error": said})
