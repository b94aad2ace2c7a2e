"""The generations that a worker works on, and what keeps it from some of them."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from psycopg import errors as pg

from pgencoder import catalog
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import Connection, vector_schema
from pgencoder.encoders import Encoder
from pgencoder.errors import EncoderUnavailable, FingerprintMismatch, UnknownEncoder, UnknownRepresentation
from pgencoder.ingest.reading import described
from pgencoder.ingest.target import Target
from pgencoder.types import Collection, Generation
from pgencoder.worker.retrying import error_line, out_of_reach
from pgencoder.worker.tables import Tables

ASIDE_SECONDS = 60.0
LOCKED_SECONDS = 1.0
# A service that does not answer: the waits grow from the first to the longest
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_PAUSES = 5  # of a worker that is to end
# Its index is being built, or another generation has its name by now: both pass soon
SOON = (pg.LockNotAvailable, pg.UndefinedTable, FingerprintMismatch)

T = TypeVar("T")
EncoderOf = Callable[[Generation], Encoder]
Only = Callable[[Generation], bool]
logger = logging.getLogger(__name__)


def every(_: Generation) -> bool:
    """Choose all generations."""
    return True


class Generations:
    """The generations of all collections, or those that `only` chooses, each with its encoder as a `Target`.

    A generation that cannot be worked on is put aside for a minute with its `problem`: its model does not load, rights
    are missing, or its table is another one. With `strict` that is raised instead. `index_problems` are those of its
    index. `skipped` are those whose encoder is an object of the user that this process does not have.

    A generation is paused while the service of its encoder is out of reach: see `pause`.

    One thread calls `refresh` and `guarded`.
    """

    def __init__(self, encoder_of: EncoderOf, *, only: Only = every, strict: bool = False) -> None:
        self.strict = strict
        self.problems: dict[str, str] = {}
        self.index_problems: dict[str, str] = {}
        self.skipped: dict[str, str] = {}
        self.tables = Tables()
        self.encoders: dict[str, Encoder] = {}
        self._encoder_of = encoder_of
        self._only = only
        self._targets: dict[str, Target] = {}
        self._unqueued: set[str] = set()
        self._aside: dict[str, float] = {}
        self._locked: set[str] = set()
        self._unsound: set[str] = set()
        self._pauses: dict[str, int] = {}  # how often since the last success
        self._untried: set[str] = set()  # since the last pause

    @property
    def targets(self) -> list[Target]:
        """The generations that can be worked on, as of the last refresh."""
        return list(self._targets.values())

    def unqueued(self) -> list[Target]:
        """Return those whose rows are not all queued yet."""
        return [target for passages, target in self._targets.items() if passages in self._unqueued]

    def refresh(self, connection: Connection) -> None:
        """Read from the catalogue which generations there are."""
        schema = vector_schema(connection)
        found: dict[str, Target] = {}
        there: set[str] = set()
        collections = catalog.collections(connection)
        self.tables.forget({collection.name for collection in collections})
        for collection in collections:
            chosen = [generation for generation in collection.generations if self._only(generation)]
            there |= {generation.passages for generation in chosen}
            if chosen and self._sound(connection, collection.name, chosen):
                objects = Objects(collection, schema)
                for generation in chosen:
                    if (target := self._target(collection, generation, objects)) is not None:
                        found[generation.passages] = target
        self._untried &= there
        self._unqueued = {each.passages for one in collections for each in one.generations if not each.queued}
        for kept in (self.problems, self.index_problems, self.skipped, self.encoders, self._aside, self._pauses):
            for passages in kept.keys() - there:
                del kept[passages]
        self._targets = found

    def guarded(self, passages: str, run: Callable[[], T]) -> T | None:
        """Run what concerns one generation; put it aside if that fails, and go on with the others."""
        try:
            return run()
        except pg.LockNotAvailable as error:
            self.put_aside(passages, error)
        except Exception as error:  # of a model that does not load it can be any
            if self.strict or out_of_reach(error):
                raise
            self.put_aside(passages, error)
        return None

    def put_aside(self, passages: str, error: BaseException | str) -> None:
        """Leave a generation alone for a while."""
        self._aside[passages] = time.monotonic() + (LOCKED_SECONDS if isinstance(error, SOON) else ASIDE_SECONDS)
        if isinstance(error, pg.LockNotAvailable):
            self._locked.add(passages)
            return  # an index is being built, or an application was in the way
        if isinstance(error, FingerprintMismatch):  # its tables are others under the same names: look at them again
            self._targets.pop(passages, None)
        problem = f"{passages}: {error_line(error)}"
        told = {"generation": passages, "error": error_line(error)}
        if isinstance(error, UnknownEncoder | UnknownRepresentation):
            if self.skipped.get(passages) != problem:
                logger.warning("skipped %s", problem, extra=told)
            self.skipped[passages] = problem
            return  # another worker may have it
        known = self.problems.get(passages)
        self.problems[passages] = problem
        if known != problem:
            logger.error("cannot work on %s", problem, extra=told)

    def pause(self, passages: str, error: EncoderUnavailable) -> None:
        """Leave a generation alone whose service is out of reach: for a second, then twice as long, up to a minute.

        After that one request tells if it is still so. With `strict` the fifth time raises the error.
        """
        pauses = self._pauses[passages] = self._pauses.get(passages, 0) + 1
        if self.strict and pauses >= MOST_PAUSES:
            raise error
        self._untried.add(passages)
        seconds = min(FIRST_PAUSE_SECONDS * 2 ** min(pauses - 1, 20), LONGEST_PAUSE_SECONDS)
        seconds *= 0.5 + random.random() / 2  # noqa: S311 - jitter
        self._aside[passages] = time.monotonic() + max(seconds, error.retry_after or 0)
        self.problems[passages] = f"{passages}: {error_line(error)}"
        if pauses == 1:
            told = {"generation": passages, "error": error_line(error)}
            logger.warning("paused, trying again until it works: %s", self.problems[passages], extra=told)

    def resume(self, passages: str) -> None:
        """Note that the service of a generation answers."""
        self._untried.discard(passages)
        if self._pauses.pop(passages, None) is not None:
            self.problems.pop(passages, None)
            logger.info("its service answers, going on with %s", passages, extra={"generation": passages})

    def has_nothing(self, passages: str, waiting: Callable[[], int]) -> None:
        """Note that nothing of a generation can be claimed; if nothing waits either, its service does not matter."""
        self._untried.discard(passages)
        if passages in self._pauses and not waiting():
            del self._pauses[passages]
            self.problems.pop(passages, None)

    def paused(self, passages: str) -> bool:
        """Return True while the service of a generation is left alone."""
        return passages in self._pauses and self.aside(passages)

    @property
    def waits(self) -> bool:
        """True if a worker that is to end waits: for a lock of others, or for a service, but not for long."""
        return self.locked or any(self._pauses.get(passages, 0) < MOST_PAUSES for passages in self._untried)

    def works(self, passages: str) -> None:
        """Note that a generation can be worked on."""
        if passages not in self._pauses:  # its service must answer first
            self.problems.pop(passages, None)

    def aside(self, passages: str) -> bool:
        """Return True while a generation is put aside."""
        return self._aside.get(passages, 0) > time.monotonic()

    def aside_for(self) -> float:
        """Return in how many seconds the first generation that was put aside is tried again; infinite without one."""
        now = time.monotonic()
        due = (until for passages, until in self._aside.items() if until > now or passages in self._untried)
        return max(0.0, min(due, default=math.inf) - now)

    def check_writable(self, connection: Connection, target: Target) -> None:
        """Raise LockNotAvailable if a lock kept the worker from writing and still does."""
        passages = target.objects.generation.passages
        if passages in self._locked:
            target.check_writable(connection)
            self._locked.discard(passages)

    @property
    def locked(self) -> bool:
        """True if something could not be written because its table was locked."""
        return bool(self._locked)

    def all_problems(self) -> list[str]:
        """Return all that keeps generations or their indexes from being worked on, or changes from being seen."""
        warnings = (f"{name}: {warning}" for name, warning in self.tables.warnings.items())
        return [*self.problems.values(), *self.index_problems.values(), *self.skipped.values(), *warnings]

    def _sound(self, connection: Connection, name: str, chosen: Sequence[Generation]) -> bool:
        """Return True if the table of a collection is the one that was attached; else put its generations aside."""
        problem = self.tables.problem(connection, name)
        for generation in chosen:
            if problem is not None:
                self.guarded(generation.passages, partial(catalog.check_problem, connection, name))
                self._unsound.add(generation.passages)
            elif generation.passages in self._unsound:
                self._unsound.remove(generation.passages)
                self._aside.pop(generation.passages, None)
                self.problems.pop(generation.passages, None)
        return problem is None

    def _target(self, collection: Collection, generation: Generation, objects: Objects) -> Target | None:
        passages = generation.passages
        known = self._targets.get(passages)
        if known is not None and described(known.objects, collection):
            return known
        if self.aside(passages):
            return None
        target = self.guarded(passages, lambda: Target(objects.of(generation), self._encoder_of(generation)))
        if target is not None:
            self.works(passages)
            self.skipped.pop(passages, None)
            self.encoders[passages] = target.encoder
        return target
