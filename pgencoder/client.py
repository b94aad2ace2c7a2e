"""The Python interface: a database with collections in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from psycopg import sql

from pgencoder import encoders, migrate, native
from pgencoder.db import catalog, kernel, status
from pgencoder.db import embedded as embedded_server
from pgencoder.db.connection import Connection, connected, open_engine, translated, vector_schema
from pgencoder.encoders import DEFAULT_MODEL, Encoder, check_fingerprint, same_encoder
from pgencoder.ingest import adopt, attach, generations, objects, queue, reconcile, sync
from pgencoder.ingest import roles as granted
from pgencoder.ingest.backfill import Progress
from pgencoder.ingest.objects import Objects
from pgencoder.ingest.worker import OnReport, Worker, WorkerOptions
from pgencoder.query import Search, search_statement
from pgencoder.query.function import SEARCH_ARGUMENTS, search_function
from pgencoder.query.statement import Filter
from pgencoder.types import (
    Chunking,
    Collection,
    CollectionStatus,
    Encoding,
    FailedRow,
    Fingerprint,
    Generation,
    Group,
    Hit,
    Kernel,
    KernelName,
    ReconcileReport,
    Stage,
    SyncReport,
    TokenType,
    WorkerStatus,
)


def connect(url: str) -> Database:
    """The database at a Postgres URL; nothing is connected before the first call that needs it."""
    return Database(open_engine(url))


def embedded(path: Path | str | None = None) -> Database:
    """The database of a private Postgres with pgvector, whose data is in `path`; it is started if need be.

    Needs the extra `embedded`. The server stops when the last process that uses it ends. `migrate` compiles the native
    kernel for it if there is a C compiler, unless the environment says PGENCODER_NATIVE=off.
    """
    return Database(open_engine(embedded_server.start(path)), owned=True)


class Database:
    """A Postgres database with pgencoder in it. Make one with `connect` or `embedded`; `with` closes it."""

    def __init__(self, engine: sa.Engine, *, owned: bool = False) -> None:
        self.engine = engine
        self._owned = owned
        self._without_native: str | None = None
        self._encoders: list[Encoder] = []
        self._device: str | None = None
        self._vector_schema: str | None = None
        self._checked = False

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections in the pool."""
        self.engine.dispose()

    def migrate(self, revision: str = "head", *, roles: bool = False) -> None:
        """Create or upgrade the schema `pgencoder`; "base" removes it with all collections. Twice changes nothing.

        `roles` creates `pgencoder_reader` and `pgencoder_worker`, for those who search and for workers, and grants them
        what they need of the collections there are and of those to come. Raises UnsupportedServer or MissingRights
        with what to do.
        """
        self._checked = False
        if revision == "base":
            migrate.downgrade(self.engine)
            return
        owned = self._owned and revision == "head"
        # for the server that runs, which need not be the one that this process would have started
        reason = native.install_unasked(self.pg_config()) if owned else None
        without = migrate.upgrade(self.engine, revision, _refresh, create_native=owned and reason is None)
        self._without_native = reason or without
        if roles and revision == "head":
            with self.connection() as connection, connection.transaction():
                granted.create(connection)

    def attach(
        self,
        table: str,
        columns: Sequence[str],
        model: str | Encoder = DEFAULT_MODEL,
        *,
        token_model: str | None = None,
        schema: str | None = None,
        name: str | None = None,
        tokens: TokenType = "bit",
        chunking: Chunking = "default",
        allow_untrained: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Make a collection of a table and queue its rows; returns how many there are.

        `table` is looked up on the search path, or in `schema`; the collection is called `name`, or as the table.
        `columns` are encoded together, with a space between. `model` is a Sentence-BERT checkpoint or an `Encoder`;
        `token_model` a second checkpoint for the token vectors. `tokens` are stored as "bit" or "halfvec".
        `chunking="truncate"` makes one passage a row and cuts it at the model's limit. `progress` is called with the
        rows queued and an estimate of all.
        """
        encoder = self._given(model, token_model, allow_untrained)
        with self.connection() as connection:
            return attach.attach(
                connection,
                table,
                columns,
                encoder,
                schema=schema,
                name=name,
                tokens=tokens,
                chunking=chunking,
                create_search=_create_search,
                progress=progress,
            )

    def detach(self, name: str) -> None:
        """Remove a collection and everything that was made for it; the source table keeps its rows."""
        with self.connection() as connection:
            attach.detach(connection, name)

    def sync(self, name: str, *, encoder: Encoder | None = None, progress: Progress | None = None) -> SyncReport:
        """Encode what is queued, here and now; `progress` is called with the rows done and the rows known of.

        A row that cannot be encoded is left for another attempt, with its error in `status`, and the others are done;
        if none can, the error is raised. `encoder` is needed only for a collection that was attached with an
        `Encoder` of one's own in another process; then only the generations that are of it are worked on.
        """
        collection = self.collection(name)
        if encoder is None:
            return sync.sync(self.engine, collection, self._encoder_of, progress=progress)
        fitting = [each for each in collection.generations if same_encoder(each.encoder, encoder.fingerprint)]
        if not fitting:
            check_fingerprint(collection.generation.encoder, encoder.fingerprint, "this collection")
        self._remember(encoder)
        numbers = {each.number for each in fitting}
        return sync.sync(
            self.engine,
            collection,
            lambda _: encoder,
            only=lambda generation: generation.number in numbers,
            progress=progress,
        )

    def worker(
        self,
        *,
        encoders: Sequence[Encoder] = (),
        options: WorkerOptions | None = None,
        device: str | None = None,
        on_report: OnReport | None = None,
    ) -> Worker:
        """A worker on all collections: call its `run`, which returns after its `stop`, or its `run_once`.

        `encoders` are those of collections that were attached with an `Encoder` of one's own. Models are loaded when
        they are first needed, on `device` ("cuda:1"; the fastest that there is if not given).
        """
        for encoder in encoders:
            self._remember(encoder)
        self._device = device
        with self.connection():
            return Worker(self.engine, self._encoder_of, options, on_report=on_report)

    def reencode(
        self,
        name: str,
        model: str | Encoder,
        *,
        token_model: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking | None = None,
        allow_untrained: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Begin another generation of a collection, with another model, and queue its rows; returns how many.

        Searches go on with the active generation; both stay in step with the table. A worker or `sync` encodes the new
        one, `activate` lets searches use it. `tokens` and `chunking` stay as they are unless given.
        """
        encoder = self._given(model, token_model, allow_untrained)
        with self.connection() as connection:
            _, queued = generations.reencode(
                connection, name, encoder, tokens=tokens, chunking=chunking, progress=progress
            )
        return queued

    def activate(self, name: str, generation: int | None = None) -> Generation:
        """Let searches use another generation; raises GenerationIncomplete if they would lose rows."""
        with self.connection() as connection:
            return generations.activate(connection, name, generation, _create_search)

    def rollback(self, name: str) -> Generation:
        """Let searches use the generation again that was active before."""
        with self.connection() as connection:
            return generations.rollback(connection, name, _create_search)

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
            parts = Objects(collection, vector_schema(connection), chosen)
            return adopt.adopt(connection, parts, table, dense, tokens, schema=schema, progress=progress)

    def retry(self, name: str) -> int:
        """Queue the rows anew that could not be encoded; returns how many there are."""
        with self.connection() as connection:
            collection = catalog.collection(connection, name)
            parts = Objects(collection, vector_schema(connection))
            return sum(queue.retry(connection, parts.of(each)) for each in collection.generations)

    def reconcile(self, name: str, *, progress: Progress | None = None) -> ReconcileReport:
        """Find what triggers did not see: missing, stale and orphaned passages of every generation, and queue it."""
        with self.connection() as connection:
            collection = catalog.collection(connection, name)
            parts = Objects(collection, vector_schema(connection))
            reports = [
                reconcile.reconcile(connection, parts.of(each), progress=progress) for each in collection.generations
            ]
        return ReconcileReport(
            max(report.rows for report in reports),
            *(sum(getattr(report, kind) for report in reports) for kind in ("missing", "stale", "orphaned")),
        )

    def search(
        self,
        name: str,
        query: str,
        k: int = 10,
        *,
        candidates: int = 100,
        filter: Filter | None = None,
        group: Group = "passage",
        stage: Stage = "maxsim",
        encoder: Encoder | None = None,
    ) -> list[Hit]:
        """The `k` best passages (or documents, with `group="document"`: the best passage of each) for a query.

        `filter` is a SQLAlchemy condition on the source table, applied inside the recall stage. `candidates` passages
        are recalled and then reranked by MaxSim. `stage` "dense" leaves the reranking out, "exhaustive" the recall.
        Fewer than `k` only if the filter leaves fewer.
        """
        search = Search(k, candidates, filter, group, stage)
        collection = self.collection(name)
        return self.run(collection, search, self.encode_query(collection, query, encoder))

    def encode_query(self, collection: Collection, query: str, encoder: Encoder | None = None) -> Encoding:
        """The encoding of a query by the collection's encoder."""
        return self._encoder(collection.generation.encoder, encoder).encode_query(query)

    def run(self, collection: Collection, search: Search, query: Encoding) -> list[Hit]:
        """The hits for an encoded query."""
        built = search_statement(collection, self.vector_schema, search, query)
        with (
            translated(),
            self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            rows = connection.execute(built).all()
        width = len(collection.key)
        return [_hit(row[:width], row[width:]) for row in rows]

    def collection(self, name: str) -> Collection:
        """The description of a collection; raises UnknownCollection."""
        with self.connection() as connection:
            return catalog.collection(connection, name)

    def collections(self) -> list[Collection]:
        """The descriptions of all collections."""
        with self.connection() as connection:
            return catalog.collections(connection)

    def status(self) -> list[CollectionStatus]:
        """The state of each collection."""
        with self.connection() as connection:
            return status.read(connection, catalog.collections(connection), kernel.read(connection))

    def workers(self) -> list[WorkerStatus]:
        """The workers that run on this database, and those that died within a day, the ones seen last first."""
        with self.connection() as connection:
            return status.workers(connection)

    def failed(self, name: str | None = None, limit: int = 100) -> list[FailedRow]:
        """Rows that could not be encoded, and why, the oldest first."""
        with self.connection() as connection:
            return status.failed(connection, name, limit)

    def kernel(self) -> Kernel:
        """Which MaxSim kernel is in use, and why."""
        with self.connection() as connection:
            found = kernel.read(connection)
        if found.name == "sql" and self._without_native is not None:
            return replace(found, why=self._without_native)
        return found

    def use_kernel(self, name: KernelName) -> None:
        """Switch to "sql" or to "native", whose extension is created or updated if need be.

        The next `migrate` uses "native" again where the database has the extension. Raises NativeUnavailable if the
        server has no such extension, and MissingRights if this role may not create it.
        """
        with self.connection() as connection:
            if name == "native":
                kernel.create(connection)
            else:
                kernel.use(connection, name)

    def server_version(self) -> int:
        """The server's major version."""
        with connected(self.engine) as connection:
            return connection.info.server_version // 10000

    def pg_config(self) -> Path | None:
        """The `pg_config` of the server, where this role may ask for it and the server runs on this machine."""
        with connected(self.engine) as connection:
            return kernel.pg_config(connection)

    def table(self, name: str) -> sa.Table:
        """The source table of a collection, reflected, for filters: `db.table("articles").c.lang == "en"`."""
        collection = self.collection(name)
        with translated():
            return sa.Table(
                collection.source_table,
                sa.MetaData(),
                schema=collection.source_schema,
                autoload_with=self.engine,
            )

    def connection(self) -> Any:
        """A context with a psycopg connection in autocommit; the first one checks that the schema is there."""
        if not self._checked:
            migrate.check_current(self.engine)
            self._checked = True
        return connected(self.engine)

    @property
    def vector_schema(self) -> str:
        """The schema that pgvector lives in."""
        if self._vector_schema is None:
            with self.connection() as connection:
                self._vector_schema = vector_schema(connection)
        return self._vector_schema

    def _given(self, model: str | Encoder, token_model: str | None, allow_untrained: bool) -> Encoder:
        """The encoder that a caller names or gives, remembered."""
        if isinstance(model, str):
            model = encoders.load(model, token_model, allow_untrained=allow_untrained, device=self._device)
        self._remember(model)
        return model

    def _remember(self, encoder: Encoder) -> None:
        if not any(known is encoder for known in self._encoders):
            self._encoders.append(encoder)

    def _encoder_of(self, generation: Generation) -> Encoder:
        return self._encoder(generation.encoder, None)

    def _encoder(self, fingerprint: Fingerprint, given: Encoder | None) -> Encoder:
        """The encoder of a generation: the one given, one used before, or one loaded by the names it has."""
        if given is None:
            for known in self._encoders:
                if same_encoder(known.fingerprint, fingerprint):
                    return known
            given = encoders.load_stored(fingerprint, device=self._device)
        check_fingerprint(fingerprint, given.fingerprint, "this collection")
        self._remember(given)
        return given


def _create_search(connection: Connection, objects: Objects) -> None:
    # settings of pgvector can be named by anyone once its library is loaded, and until then by superusers only
    connection.execute(sql.SQL("SELECT '[1]'::{}.halfvec").format(objects.vector))
    connection.execute(search_function(objects.collection, vector_schema(connection)).encode())


def _refresh(connection: Connection) -> None:
    schema = vector_schema(connection)
    for collection in catalog.collections(connection):
        parts = Objects(collection, schema)
        objects.become_owner(connection, parts)
        objects.drop_overloads(connection, parts, SEARCH_ARGUMENTS)
        objects.create_functions(connection, parts, collection.generations)
        _create_search(connection, parts)
    connection.execute("SELECT set_config('role', 'none', true)")
    if granted.in_use(connection):
        granted.create(connection)


def _hit(key: Any, rest: Any) -> Hit:
    passage, start, end, content, score, rank, dense_score = rest
    return Hit(key[0] if len(key) == 1 else tuple(key), score or 0.0, passage, (start, end), content, rank, dense_score)
