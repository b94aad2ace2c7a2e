"""The Python interface: a database with collections in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from weakref import WeakSet

import psycopg
import sqlalchemy as sa

from pgencoder import catalog, kernel
from pgencoder.context import Budget, CountTokens, assemble, gaps, token_counter
from pgencoder.db.connection import connected, driver_of, open_engine, pin, translate_errors
from pgencoder.encoders import Encoder, query_text
from pgencoder.errors import InvalidRequest, Outdated, PgencoderError
from pgencoder.explain.explanation import Explanation, in_words
from pgencoder.explain.token_pairs import Question, read_pairs
from pgencoder.kernel import native
from pgencoder.pairs import PairSearch, check_encoded, similar_pairs
from pgencoder.plain import short_key
from pgencoder.results import Context, Hit, Kernel, Pair
from pgencoder.schema import migrate
from pgencoder.schema import roles as granted
from pgencoder.search import Search, rows
from pgencoder.search.ranking import stage_for
from pgencoder.search.statement import Filter
from pgencoder.search.waiting import waiting
from pgencoder.threads import in_thread
from pgencoder.types import Collection, Encoding, Group, KernelName, Order, PairMethod, Stage
from pgencoder.upkeep import Upkeep

if TYPE_CHECKING:  # it needs greenlet, which not everyone has
    from sqlalchemy.ext.asyncio import AsyncEngine

TOLD_SECONDS = 60.0

_open: WeakSet[Database] = WeakSet()
logger = logging.getLogger(__name__)


def connect(url: str | sa.URL | sa.Engine | AsyncEngine) -> Database:
    """The database at a Postgres URL, or the one that an engine of any driver is for.

    Nothing is connected before the first call that needs it. Of an engine only its URL is taken, password included, for
    connections of our own; what it was given besides, such as `connect_args`, is not known here.
    """
    return _opened(database_of(url))


def database_of(url: str | sa.URL | sa.Engine | AsyncEngine) -> Database:
    """What `connect` returns, which this process is not said to have open."""
    return Database(open_engine(url if isinstance(url, str | sa.URL) else getattr(url, "url", None)))


def embedded(path: Path | str | None = None) -> Database:
    """The database of a private Postgres with pgvector, whose data is in `path`; it is started if need be.

    Needs the extra `embedded`. The server stops when the last process that uses it ends. `migrate` compiles the native
    kernel for it if there is a C compiler, unless the environment says PGENCODER_NATIVE=off.
    """
    from pgencoder.db import embedded as server  # Windows lacks what it needs

    return _opened(Database(open_engine(server.start(path)), owned=True))


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
        """Close the connections in the pools."""
        super().close()
        _open.discard(self)

    def migrate(self, revision: str = "head", *, roles: bool = False) -> None:
        """Create or upgrade the schema `pgencoder`; "base" removes it with all collections. Twice changes nothing.

        `roles` creates `pgencoder_reader` and `pgencoder_worker`, for those who search and for workers, and grants them
        what they need of the collections there are and of those to come. Raises UnsupportedServer or MissingRights
        with what to do.
        """
        migrate.check_known(revision)
        self._checked = False
        if revision == "base":
            migrate.downgrade(self.own_engine)
            return
        owned = self._owned and revision == "head"
        # for the server that runs, which need not be the one that this process would have started
        reason = native.install_unasked(self.pg_config()) if owned else None
        without = migrate.upgrade(self.own_engine, revision, create_native=owned and reason is None)
        self.engine.dispose()  # see there
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
        fewer, or rows are not encoded yet, which the log then says.
        """
        collection = (self._described.get(name) if isinstance(name, str) else None) or self.collection(name)
        while True:
            try:
                chosen = stage_for(stage, tokens=collection.generation.dims.tokens > 0)
                asked = self._question(collection, query, encoder)
                search = Search(k, candidates, filter, group, chosen)
                hits = self.run(collection, search, asked.encoding, partial(self._explain_hit, asked))
            except (PgencoderError, psycopg.Error, sa.exc.DBAPIError):
                # perhaps because it was described for an earlier search, or changed while the query was encoded
                self._described.pop(name, None)
                now = self.collection(name)
                with self._of_its_table(now):
                    if now == collection:
                        raise
                collection = now
            else:
                self._described[name] = collection
                return hits

    asearch = in_thread(search)

    def context(
        self,
        name: str,
        query: str,
        max_tokens: int = 2000,
        *,
        k: int = 20,
        candidates: int = 100,
        filter: Filter | None = None,
        order: Order = "score",
        count_tokens: CountTokens | None = None,
        encoder: Encoder | None = None,
    ) -> Context:
        """A text for a prompt of the best passages for a query, numbered `[1]`, `[2]`, ..., with their citations.

        The whole text never has more than `max_tokens` tokens, counted by `count_tokens`: give that of your language
        model. Without it the encoder's own tokenizer counts; what that does not know, and everything where an encoder
        has none, counts as one for three bytes of UTF-8.

        Up to `k` passages are taken, best first, see `search`. Those of one row that overlap or follow each other are
        merged, and one that another contains is left out. The last ends with a sentence where it does not fit whole.
        `order` "document" puts passages of one row together, as they stand in it, the best row first.
        """
        collection = self.collection(name)
        if count_tokens is None:
            count_tokens = token_counter(self._encoder(collection.generation.encoder, encoder))
        budget = Budget(max_tokens, count_tokens, order)
        hits = self.search(name, query, k, candidates=candidates, filter=filter, encoder=encoder)
        wanted = gaps(hits)
        with self.connection() as connection:
            pieces = [(key, (start, end)) for (_, start, end), key in wanted.items()]
            with self._of_its_table(collection):
                between = rows.pieces(connection, collection, pieces)
        return assemble(hits, dict(zip(wanted, between, strict=True)), budget)

    acontext = in_thread(context)

    def explain(
        self, name: str, query: str, key: Any, passage: int = 0, *, encoder: Encoder | None = None
    ) -> Explanation:
        """Why a passage matches a query, or how far it does: see `Hit.explain`.

        `key` is the row's primary key, a tuple for a composite one. Raises NotEncoded if there is no such
        passage, and InvalidRequest if the collection has no tokens.
        """
        return self._explain(self._question(self.collection(name), query, encoder), key, passage)

    aexplain = in_thread(explain)

    @contextmanager
    def _of_its_table(self, collection: Collection) -> Iterator[None]:
        """Raise InvalidSource where something fails because of what is wrong with a collection's table."""
        try:
            yield
        except (psycopg.Error, sa.exc.DBAPIError, PgencoderError):
            with self.connection() as connection:
                catalog.check_problem(connection, collection.name)
            raise

    def _question(self, collection: Collection, query: str, encoder: Encoder | None) -> Question:
        query = query_text(query)
        chosen = self._encoder(collection.generation.encoder, encoder)
        return Question(collection, query, chosen.encode_query(query), chosen)

    def _explain_hit(self, asked: Question, hit: Hit) -> Explanation:
        return self._explain(asked, hit.key, hit.passage, hit.content)

    def _explain(self, asked: Question, key: Any, number: int, content: str | None = None) -> Explanation:
        vector = self.vector_schema  # takes a connection of its own, the first time
        with self.connection() as connection, self._of_its_table(asked.collection):
            catalog.check_source(connection, asked.collection)
            passage = read_pairs(connection, vector, asked, key, number)
        if content not in (None, passage.content):
            raise Outdated(f"passage {number} of key {short_key(key)} has changed since the search; search again")
        return in_words(asked, key, number, passage)

    def encode_query(self, collection: Collection, query: str, encoder: Encoder | None = None) -> Encoding:
        """The encoding of a query by the collection's encoder."""
        query = query_text(query)
        return self._encoder(collection.generation.encoder, encoder).encode_query(query)

    def run(
        self,
        collection: Collection,
        search: Search,
        query: Encoding,
        explainer: Callable[[Hit], Explanation] | None = None,
    ) -> list[Hit]:
        """The hits for an encoded query; the database refuses if the collection is no longer as it is described."""
        rows = self._runner.rows(collection, search, query)
        if not rows:  # where this role can see no passage at all, the statement never comes to its own check
            with self.connection() as other:
                catalog.check_source(other, collection)
        if len(rows) < search.k:
            self._say_what_waits(collection)
        width = len(collection.key)
        return [_hit(row[:width], row[width:], explainer) for row in rows]

    def _say_what_waits(self, collection: Collection) -> None:
        """Log that rows are not encoded yet, at most once a minute for a collection."""
        if time.monotonic() < self._told.get(collection.name, 0):
            return
        with suppress(PgencoderError, psycopg.Error, sa.exc.DBAPIError), self.connection() as connection:
            if (said := waiting(connection, collection)) is not None:
                self._told[collection.name] = time.monotonic() + TOLD_SECONDS
                logger.warning("%s", said, extra={"collection": collection.name})

    def similar_pairs(
        self,
        name: str,
        threshold: float = 0.8,
        *,
        method: PairMethod = "auto",
        limit: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Pair]:
        """All pairs of rows whose cosine is at least `threshold`: of their dense vectors, as they are stored (halves).

        Pairs come as they are found, each once and in no order that is promised; with `limit` only that many, the most
        similar, the best first, at the end. Of rows with several passages the best two count. "exact" finds every
        pair. "ann" finds nearly all, in far less time where there are many rows: a sample sets it to find 98 in 100,
        or where similar pairs are rare 90 in 100 of those just at the threshold. "auto" is exact where that takes up
        to half a minute, by an estimate, and beyond it ann, unless the sample says that it would find fewer; the log
        says which.

        The vectors are those of when the first pair is asked for; pairs of rows deleted or hidden since are left out.
        They wait in a temporary file, 2 bytes a dimension. `progress` is called with the rows done and all rows.
        Raises NotEncoded where nothing is encoded, and DiskFull where the vectors do not fit.
        """
        search = PairSearch(threshold, method, limit)
        collection = self.collection(name)
        with self.connection() as connection:
            catalog.check_source(connection, collection)
            check_encoded(connection, collection)
        return self._pairs(collection, search, progress)

    def _pairs(
        self, collection: Collection, search: PairSearch, progress: Callable[[int, int], None] | None
    ) -> Iterator[Pair]:
        with self._of_its_table(collection):
            yield from similar_pairs(self.connection, collection, search, progress)

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
        if name not in get_args(KernelName):
            raise InvalidRequest(f"kernel must be one of {', '.join(get_args(KernelName))}, got {name!r}")
        with self.connection() as connection:
            if name == "native":
                kernel.create(connection)
            else:
                kernel.use(connection, name)

    def server_version(self) -> int:
        """The server's major version."""
        with connected(self.own_engine) as connection:
            return connection.info.server_version // 10000

    def pg_config(self) -> Path | None:
        """The `pg_config` of the server, where this role may ask for it and the server runs on this machine."""
        with connected(self.own_engine) as connection:
            return kernel.pg_config(connection)

    def table(self, name: str) -> sa.Table:
        """The source table of a collection, reflected, for filters: `db.table("articles").c.lang == "en"`."""
        collection = self.collection(name)
        with translate_errors(), self.own_engine.begin() as connection:
            pin(driver_of(connection), local=True)
            return sa.Table(
                collection.source_table,
                sa.MetaData(),
                schema=collection.source_schema,
                autoload_with=connection,
            )


def _hit(key: Any, rest: Any, explainer: Callable[[Hit], Explanation] | None) -> Hit:
    passage, start, end, content, score, rank, dense_score = rest
    value = key[0] if len(key) == 1 else tuple(key)
    return Hit(value, score or 0.0, passage, (start, end), content, rank, dense_score, explainer)
