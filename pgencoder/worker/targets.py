"""What there is to encode: every generation of every collection in turn, so that none waits for another."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from psycopg import errors as pg

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.encoders import Encoder
from pgencoder.errors import FingerprintMismatch, UnknownEncoder
from pgencoder.ingest import backfill, queue
from pgencoder.ingest.batch import BATCH_ROWS
from pgencoder.ingest.queue import Which
from pgencoder.ingest.reading import described
from pgencoder.ingest.target import Target
from pgencoder.types import Collection, Generation
from pgencoder.worker.pipeline import Leases, Work, one_line, out_of_reach
from pgencoder.worker.sources import Sources

REFRESH_SECONDS = 1.0
ASIDE_SECONDS = 60.0
LOCKED_SECONDS = 1.0
# Every second turn begins with what came back, so that neither it nor what is new waits for the other to end
TURNS: tuple[tuple[Which, ...], ...] = (("new", "again", "alone"), ("again", "alone", "new"))

T = TypeVar("T")
EncoderOf = Callable[[Generation], Encoder]
Only = Callable[[Generation], bool]
logger = logging.getLogger(__name__)


def every(_: Generation) -> bool:
    """The choice of all generations."""
    return True


class Targets:
    """Claims batches from all generations, or from those of `only`; `fetch` and what it calls belong to one thread.

    A generation that cannot be worked on, because its model does not load, rights are missing or its table is another
    one, is put aside for a minute with its `problem`; with `strict` that is raised instead. `index_problems` are those
    of its index; `skipped` is what has an encoder of the user's that this process does not have.
    """

    def __init__(
        self,
        encoder_of: EncoderOf,
        leases: Leases,
        *,
        only: Only = every,
        lease: float = queue.LEASE_SECONDS,
        batch_rows: int = BATCH_ROWS,
        strict: bool = False,
    ) -> None:
        self.problems: dict[str, str] = {}
        self.index_problems: dict[str, str] = {}
        self.skipped: dict[str, str] = {}
        self.sources = Sources()
        self.encoders: dict[str, Encoder] = {}
        self._encoder_of = encoder_of
        self._leases = leases
        self._only = only
        self._lease = lease
        self._batch_rows = batch_rows
        self._strict = strict
        self._targets: dict[str, Target] = {}
        self._aside: dict[str, float] = {}
        self._locked: set[str] = set()
        self._unsound: set[str] = set()
        self._turn = 0
        self._refreshed: float | None = None

    @property
    def current(self) -> list[Target]:
        """The targets as of the last refresh."""
        return list(self._targets.values())

    def fetch(self, connection: Connection) -> Work | None:
        """The next batch, read and split; None if nothing is ready."""
        if self._refreshed is None or time.monotonic() - self._refreshed >= REFRESH_SECONDS:
            self.refresh(connection)
        work = self._next(connection) or self._next(connection, everywhere=True)
        if work is None:
            self._refreshed = None  # an idle worker looks at everything when it wakes
        return work

    def _next(self, connection: Connection, everywhere: bool = False) -> Work | None:
        targets = self.current
        for i in range(len(targets)):
            target = targets[(self._turn + i) % len(targets)]
            name = target.objects.generation.passages
            if self._aside.get(name, 0) > time.monotonic():
                continue
            for which in TURNS[self._turn // len(targets) % 2]:
                work = self._claim(connection, target, which, everywhere)
                if work is not None:
                    self._turn += i + 1
                    return work
        return None

    def refresh(self, connection: Connection) -> None:
        """See which generations there are; queue what came late, and the next rows of unfinished backfills."""
        schema = vector_schema(connection)
        late = backfill.late(connection)
        found: dict[str, Target] = {}
        there: set[str] = set()
        collections = catalog.collections(connection)
        self.sources.forget({collection.name for collection in collections})
        for collection in collections:
            objects = Objects(collection, schema)
            chosen = [generation for generation in collection.generations if self._only(generation)]
            there |= {generation.passages for generation in chosen}
            if chosen and not self._sound(connection, collection.name, chosen):
                continue
            if chosen and collection.name in late:
                self._guarded(chosen[0].passages, partial(backfill.move_late, connection, collection.name))
            for generation in chosen:
                target = self._target(collection, generation, objects)
                if target is None:
                    continue
                found[generation.passages] = target
                if not generation.queued:
                    self._guarded(generation.passages, partial(backfill.queue_piece, connection, target.objects))
        for kept in (self.problems, self.index_problems, self.skipped, self.encoders, self._aside):
            for passages in kept.keys() - there:
                del kept[passages]
        self._targets = found
        self._refreshed = time.monotonic()

    def _sound(self, connection: Connection, name: str, chosen: Sequence[Generation]) -> bool:
        """Tell whether the table of a collection is the one that was attached; else its generations are put aside."""
        problem = self.sources.problem(connection, name)
        for generation in chosen:
            if problem is not None:
                self._guarded(generation.passages, partial(catalog.check_problem, connection, name))
                self._unsound.add(generation.passages)
            elif generation.passages in self._unsound:
                self._unsound.remove(generation.passages)
                self._aside.pop(generation.passages, None)
                self.problems.pop(generation.passages, None)
        return problem is None

    def put_aside(self, passages: str, error: BaseException | str, seconds: float = ASIDE_SECONDS) -> None:
        """Leave a generation alone for a while."""
        self._aside[passages] = time.monotonic() + seconds
        if isinstance(error, pg.LockNotAvailable):
            self._locked.add(passages)
            return  # an index is being built, or an application was in the way
        if isinstance(error, FingerprintMismatch):  # its tables are others under the same names: look at them again
            self._targets.pop(passages, None)
        problem = f"{passages}: {one_line(error)}"
        told = {"generation": passages, "error": one_line(error)}
        if isinstance(error, UnknownEncoder):
            if self.skipped.get(passages) != problem:
                logger.warning("skipped %s", problem, extra=told)
            self.skipped[passages] = problem
            return  # another worker may have it
        if self.problems.get(passages) != problem:
            logger.error("cannot work on %s", problem, extra=told)
        self.problems[passages] = problem

    def all_problems(self) -> list[str]:
        """All that keeps generations or their indexes from being worked on, or changes from being seen."""
        warnings = (f"{name}: {warning}" for name, warning in self.sources.warnings.items())
        return [*self.problems.values(), *self.index_problems.values(), *self.skipped.values(), *warnings]

    @property
    def locked(self) -> bool:
        """Tell whether something could not be written because its table was locked."""
        return bool(self._locked)

    def aside_for(self) -> float:
        """Seconds until the first generation that was put aside is looked at again; infinite without one."""
        now = time.monotonic()
        return min((until - now for until in self._aside.values() if until > now), default=math.inf)

    def _target(self, collection: Collection, generation: Generation, objects: Objects) -> Target | None:
        passages = generation.passages
        known = self._targets.get(passages)
        if known is not None and described(known.objects, collection):
            return known
        if self._aside.get(passages, 0) > time.monotonic():
            return None
        target = self._guarded(passages, lambda: Target(objects.of(generation), self._encoder_of(generation)))
        if target is not None:
            self.problems.pop(passages, None)
            self.skipped.pop(passages, None)
            self.encoders[passages] = target.encoder
        return target

    def _guarded(self, passages: str, run: Callable[[], T]) -> T | None:
        """Run what concerns one generation: what is wrong with it stops none of the others."""
        try:
            return run()
        except (pg.LockNotAvailable, FingerprintMismatch) as error:
            if self._strict and isinstance(error, FingerprintMismatch):
                raise
            self.put_aside(passages, error, LOCKED_SECONDS)
            return None
        except Exception as error:  # of a model that does not load it can be any
            if self._strict or out_of_reach(error):
                raise
            self.put_aside(passages, error)
            return None

    def _claim(self, connection: Connection, target: Target, which: Which, everywhere: bool) -> Work | None:
        objects = target.objects

        def work() -> Work | None:
            if objects.generation.passages in self._locked:
                target.check_writable(connection)  # rather than encode once more what cannot be written
                self._locked.discard(objects.generation.passages)
            claimed = target.front.claim(
                connection, objects, which, self._batch_rows, self._lease, everywhere=everywhere
            )
            if not claimed.seqs:
                return None
            self._leases.hold(objects, claimed)
            try:
                batch = target.read(connection, claimed)
            except BaseException:
                self._leases.drop(claimed)
                with suppress(Exception):
                    queue.release(connection, objects, claimed)
                raise
            self.problems.pop(objects.generation.passages, None)
            return Work(target, batch)

        return self._guarded(objects.generation.passages, work)
