"""Keeping passages in step with their rows: attaching, encoding, generations, repairs, and their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pgencoder import catalog, kernel
from pgencoder.catalog import status
from pgencoder.catalog.objects import Objects
from pgencoder.db.connection import vector_schema
from pgencoder.encoders import DEFAULT_MODEL, Encoder, check_fingerprint, same_encoder
from pgencoder.errors import InvalidRequest
from pgencoder.ingest import adopt, index, queue, reconcile
from pgencoder.progress import Progress, open_bar
from pgencoder.results import CollectionStatus, FailedRow, ReconcileReport, RepairReport, SyncReport, WorkerStatus
from pgencoder.schema import attach, generations, repair
from pgencoder.session import Session
from pgencoder.threads import in_thread
from pgencoder.types import Chunking, Generation, TokenType
from pgencoder.worker import sync
from pgencoder.worker.record import OnReport
from pgencoder.worker.worker import Worker, WorkerOptions


class Upkeep(Session):
    """The part of a `Database` that writes passages."""

    def attach(
        self,
        table: str,
        columns: Sequence[str],
        model: str | Encoder = DEFAULT_MODEL,
        *,
        token_model: str | None = None,
        schema: str | None = None,
        name: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking = "default",
        allow_untrained: bool = False,
        exist_ok: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Make a collection of a table and queue its rows; returns how many there are.

        `table` is looked up on the search path, or in `schema`; the collection is called `name`, or as the table.
        `columns` are encoded together, with a space between. `model` is a Sentence-BERT checkpoint or an `Encoder`;
        `token_model` a second checkpoint for the token vectors. `tokens` are stored as "bit", the default where the
        encoder has them, or "halfvec"; with "none" there are only dense vectors.
        `chunking="truncate"` makes one passage a row and cuts it at the model's limit. `progress` is called with the
        rows queued and an estimate of all.

        Raises CollectionExists where there is a collection of that name; with `exist_ok` only where it differs from
        what is asked for, else it stays as it is.
        """
        encoder = self._given(model, token_model, allow_untrained)
        with self.connection() as connection:
            wanted = attach.Wanted(table, columns, encoder, schema, name, tokens, chunking)
            return attach.attach(connection, wanted, exist_ok=exist_ok, progress=progress)

    def detach(self, name: str) -> None:
        """Remove a collection and everything that was made for it; the source table keeps its rows."""
        with self.connection() as connection:
            attach.detach(connection, name)

    def sync(
        self,
        name: str,
        *,
        encoder: Encoder | None = None,
        rows: int | None = None,
        progress: Progress | bool | None = None,
    ) -> SyncReport:
        """Encode what is queued, here and now.

        A row that cannot be read or encoded is left for another attempt, and the others are done: the report says how
        many `failed`, and the `error` of one of them; `failed()` has all. Where a whole batch fails, the rest waits. An
        index that cannot be built is in the report too. Raised is what concerns the whole collection: a model that does
        not load, vectors of another one, a table that is gone or another one, errors of the database.

        `encoder` is needed only for a collection that was attached with an `Encoder` object in another process; then
        only the generations that are of it are worked on. With `rows` it stops after the batch in which that number is
        done; the rest stays queued.

        In a terminal and in a notebook there is a bar, unless `progress` is False. If `progress` is a function, it is
        called with the rows done and the rows known of, and there is no bar.
        """
        collection = self.collection(name)
        with open_bar(progress, "encoding") as on_progress:
            encode = partial(sync.sync, self.own_engine, collection, rows=rows, progress=on_progress)
            if encoder is None:
                return encode(self._encoder_of)
            fitting = [each for each in collection.generations if same_encoder(each.encoder, encoder.fingerprint)]
            if not fitting:
                check_fingerprint(collection.generation.encoder, encoder.fingerprint, "this collection")
            self._remember(encoder)
            numbers = {each.number for each in fitting}
            return encode(lambda _: encoder, only=lambda generation: generation.number in numbers)

    def worker(
        self,
        *,
        encoders: Sequence[Encoder] = (),
        options: WorkerOptions | None = None,
        device: str | None = None,
        on_report: OnReport | None = None,
    ) -> Worker:
        """A worker on all collections: call its `run`, which returns after its `stop`, or its `run_once`.

        `encoders` are those of collections that were attached with an `Encoder` object. Models are loaded when
        they are first needed, on `device` ("cuda:1"; the fastest that there is if not given).
        """
        for encoder in encoders:
            self._remember(encoder)
        self._device = device
        with self.connection():
            return Worker(self.own_engine, self._encoder_of, options, on_report=on_report)

    def reencode(
        self,
        name: str,
        model: str | Encoder | None = None,
        *,
        token_model: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking | None = None,
        allow_untrained: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Begin another generation of a collection and queue its rows; returns how many. The model stays unless given.

        Searches go on with the active generation; both stay in step with the table. A worker or `sync` encodes the new
        one, `activate` lets searches use it. `tokens` and `chunking` stay as they are unless given; `tokens` are "none"
        for an encoder without token vectors. A generation that is being built goes on if it is of the same model,
        tokens and chunking; else it is given up, and removed.
        """
        if model is not None:
            encoder = self._given(model, token_model, allow_untrained)
        elif token_model is not None:
            raise InvalidRequest("a token_model is given with its model; give that too (--model)")
        else:
            encoder = self._encoder_of(self.collection(name).generation)
        return self._begin(name, encoder, tokens, chunking, progress).queued

    def _begin(
        self,
        name: str,
        encoder: Encoder,
        tokens: TokenType | None,
        chunking: Chunking | None,
        progress: Progress | None = None,
    ) -> generations.Begun:
        """Do what `reencode` does, and say which generation that is."""
        self._remember(encoder)
        with self.connection() as connection:
            catalog.check_problem(connection, name)
            return generations.reencode(connection, name, encoder, tokens=tokens, chunking=chunking, progress=progress)

    def activate(self, name: str, generation: int | None = None) -> Generation:
        """Let searches use another generation; raises GenerationIncomplete if they would lose rows."""
        with self.connection() as connection:
            return generations.activate(connection, name, generation)

    def rollback(self, name: str) -> Generation:
        """Let searches use the generation again that was active before."""
        with self.connection() as connection:
            return generations.rollback(connection, name)

    def drop(self, name: str, generation: int | None = None) -> Generation:
        """Remove a generation that is not active, and free its space."""
        with self.connection() as connection:
            return generations.drop(connection, name, generation)

    def adopt(
        self,
        name: str,
        table: str,
        dense: str,
        tokens: str | None = None,
        *,
        schema: str | None = None,
        generation: int | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Take vectors that exist already into a generation, without encoding: the one being built, or the active one.

        `table` has columns named as the source's key, a column `dense` and perhaps one of `tokens`; it may be the
        source itself. Each queued row with a vector becomes one passage. Returns how many; the others stay queued.
        """
        with self.connection() as connection:
            collection = catalog.collection(connection, name)
            chosen = generations.find(collection, generation)
            catalog.check_problem(connection, name)
            parts = Objects(collection, vector_schema(connection), chosen)
            return adopt.adopt(connection, parts, adopt.VectorTable(table, dense, tokens, schema), progress)

    def retry(self, name: str) -> int:
        """Queue again the rows that could not be encoded; returns how many there are.

        An index that could not be built is due again too.
        """
        with self.connection() as connection:
            collection = catalog.collection(connection, name)
            index.forget_failure(connection, name)
            parts = Objects(collection, vector_schema(connection))
            return sum(queue.retry(connection, parts.of(each)) for each in collection.generations)

    def reconcile(self, name: str, *, progress: Progress | None = None) -> ReconcileReport:
        """Find what triggers did not see: missing, stale and orphaned passages of every generation, and queue it.

        Raises InvalidSource where the table is not the one that was attached, or is gone.
        """
        with self.connection() as connection:
            collection = catalog.collection(connection, name)
            catalog.check_problem(connection, name)
            parts = Objects(collection, vector_schema(connection))
            reports = [
                reconcile.reconcile(connection, parts.of(each), progress=progress) for each in collection.generations
            ]
            return replace(reconcile.total(reports), warning=catalog.warning(connection, name))

    def repair(self, name: str, *, progress: Progress | None = None) -> RepairReport:
        """Mend a collection: make the triggers, functions and policies that it has lost, and follow its table.

        A table that was dropped and made again, restored or swapped is taken for the collection's; all that differs is
        queued. Keys whose type has changed are converted, and the vectors kept. `progress` is called with the rows
        compared. Raises InvalidSource for what cannot be mended, such as a table that is gone.
        """
        with self.connection() as connection:
            return repair.repair(connection, name, progress)

    def status(self) -> list[CollectionStatus]:
        """The state of each collection."""
        with self.connection() as connection:
            index_errors = {generation: str(failure) for generation, failure in index.failures(connection).items()}
            found = catalog.collections(connection)
            return status.read(connection, found, kernel.read(connection), index_errors)

    astatus = in_thread(status)

    def workers(self) -> list[WorkerStatus]:
        """The workers that run on this database, and those that died within a day, the ones seen last first."""
        with self.connection() as connection:
            return status.workers(connection)

    aworkers = in_thread(workers)

    def failed(self, name: str | None = None, limit: int = 100) -> list[FailedRow]:
        """Rows that could not be encoded, and why, the oldest first."""
        with self.connection() as connection:
            return status.failed(connection, name, limit)

    afailed = in_thread(failed)
