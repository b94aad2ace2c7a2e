"""The Python interface: a database with collections in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import sqlalchemy as sa

from pgencoder import migrate, native
from pgencoder.db import embedded as embedded_server
from pgencoder.db import kernel
from pgencoder.db.connection import connected, open_engine, translated
from pgencoder.encoders import Encoder
from pgencoder.errors import InvalidRequest, NotMigrated
from pgencoder.ingest import roles as granted
from pgencoder.query import Search, search_statement
from pgencoder.query.statement import Filter, stage_for
from pgencoder.threads import in_thread
from pgencoder.types import (
    Collection,
    Encoding,
    Group,
    Hit,
    Kernel,
    KernelName,
    Stage,
)
from pgencoder.upkeep import Upkeep, refresh

if TYPE_CHECKING:  # it needs greenlet, which not everyone has
    from sqlalchemy.ext.asyncio import AsyncEngine

_open: WeakSet[Database] = WeakSet()


def connect(url: str | sa.URL | sa.Engine | AsyncEngine) -> Database:
    """The database at a Postgres URL, or the one that an engine of any driver is for.

    Nothing is connected before the first call that needs it. Of an engine only its URL is taken, password included, for
    connections of our own; what it was given besides, such as `connect_args`, is not known here.
    """
    return _opened(Database(open_engine(url if isinstance(url, str | sa.URL) else url.url)))


def embedded(path: Path | str | None = None) -> Database:
    """The database of a private Postgres with pgvector, whose data is in `path`; it is started if need be.

    Needs the extra `embedded`. The server stops when the last process that uses it ends. `migrate` compiles the native
    kernel for it if there is a C compiler, unless the environment says PGENCODER_NATIVE=off.
    """
    return _opened(Database(open_engine(embedded_server.start(path)), owned=True))


def the_only() -> Database:
    """The database that this process has open; raises InvalidRequest unless there is exactly one."""
    if len(_open) != 1:
        raise InvalidRequest(
            f"which database? {len(_open) or 'none'} open in this process; pass db=pgencoder.connect(...)"
        )
    return next(iter(_open))


def _opened(database: Database) -> Database:
    _open.add(database)
    return database


class Database(Upkeep):
    """A Postgres database with pgencoder in it. Make one with `connect` or `embedded`; `with` closes it."""

    def close(self) -> None:
        """Close the connections in the pool."""
        super().close()
        _open.discard(self)

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
        without = migrate.upgrade(self.engine, revision, refresh, create_native=owned and reason is None)
        self._without_native = reason or without
        if roles and revision == "head":
            with self.connection() as connection, connection.transaction():
                granted.create(connection)

    def search(
        self,
        name: str,
        query: str,
        k: int = 10,
        *,
        candidates: int = 100,
        filter: Filter | None = None,
        group: Group = "passage",
        stage: Stage | None = None,
        encoder: Encoder | None = None,
    ) -> list[Hit]:
        """The `k` best passages (or documents, with `group="document"`: the best passage of each) for a query.

        `filter` is a SQLAlchemy condition on the source table, applied inside the recall stage. `candidates` passages
        are recalled and then reranked by MaxSim. `stage` "dense" leaves the reranking out, "exhaustive" the recall;
        not given, it is "maxsim" where the collection has token vectors. Fewer than `k` only if the filter leaves
        fewer.
        """

        def found(collection: Collection) -> list[Hit]:
            chosen = stage_for(stage, tokens=collection.generation.dims.tokens > 0)
            search = Search(k, candidates, filter, group, chosen)
            return self.run(collection, search, self.encode_query(collection, query, encoder))

        collection = self.collection(name)
        try:
            return found(collection)
        except NotMigrated:
            swapped = self.collection(name)
            if swapped.generation == collection.generation:
                raise
            # another was activated, and this one dropped, while the query was encoded
            return found(swapped)

    asearch = in_thread(search)

    def encode_query(self, collection: Collection, query: str, encoder: Encoder | None = None) -> Encoding:
        """The encoding of a query by the collection's encoder."""
        return self._encoder(collection.generation.encoder, encoder).encode_query(query)

    def run(self, collection: Collection, search: Search, query: Encoding) -> list[Hit]:
        """The hits for an encoded query."""
        built = search_statement(collection, search, query)
        with (
            translated(),
            self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            rows = connection.execute(built).all()
        width = len(collection.key)
        return [_hit(row[:width], row[width:]) for row in rows]

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


def _hit(key: Any, rest: Any) -> Hit:
    passage, start, end, content, score, rank, dense_score = rest
    return Hit(key[0] if len(key) == 1 else tuple(key), score or 0.0, passage, (start, end), content, rank, dense_score)
