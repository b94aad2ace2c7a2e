"""Work: rows to be queued in bulk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pgencoder.db.connection import Connection
from pgencoder.ingest import backfill
from pgencoder.worker.generations import Generations
from pgencoder.worker.work import Work, WorkSource


class Backfill(WorkSource):
    """Queues the rows that were there before their generation, changes that came late, and what a TRUNCATE left.

    In each round it looks which generations there are, and queues one piece for each that is not done.
    """

    runs = "inline"
    seconds = 1.0

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._round: list[Work] | None = None

    def next(self, connection: Connection) -> Work | None:
        """Return the next piece of this round; None at its end."""
        if self._round is None:
            self._round = self._pieces(connection)
        if self._round:
            return self._round.pop(0)
        self._round = None
        return None

    def _pieces(self, connection: Connection) -> list[Work]:
        late = backfill.late(connection)
        self._generations.refresh(connection)
        pieces: list[Work] = []
        for target in self._generations.targets:
            name, passages = target.objects.collection.name, target.objects.generation.passages
            if name in late:
                late.remove(name)
                pieces.append(_Piece(self._generations, passages, partial(backfill.move_late, name=name)))
        for target in self._generations.unqueued():
            passages = target.objects.generation.passages
            pieces.append(_Piece(self._generations, passages, partial(backfill.queue_piece, objects=target.objects)))
        return pieces


class _Piece(Work):
    """A short transaction that queues keys."""

    def __init__(self, generations: Generations, passages: str, queue: Callable[[Connection], object]) -> None:
        self._generations = generations
        self._passages = passages
        self._queue = queue

    def write(self, connection: Connection) -> None:
        """Queue them."""
        self._generations.guarded(self._passages, lambda: self._queue(connection))
