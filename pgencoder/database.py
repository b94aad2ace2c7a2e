"""The Python interface: a database with collections in it. Its work is in `pgencoder.parts` and the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from pgencoder.catalog import status
from pgencoder.context import CountTokens
from pgencoder.encoders import DEFAULT_MODEL, Encoder, Reranker
from pgencoder.explain.explanation import Explanation
from pgencoder.ingest.adopt import VectorTable
from pgencoder.pairs import PairSearch
from pgencoder.parts.collections import Collections
from pgencoder.parts.connections import Connections
from pgencoder.parts.installation import Installation
from pgencoder.parts.searching import ContextOptions, Searching, SearchOptions
from pgencoder.parts.upkeep import Upkeep
from pgencoder.parts.used_encoders import UsedEncoders
from pgencoder.progress import Progress
from pgencoder.representations import Representation
from pgencoder.results import (
    CollectionStatus,
    Context,
    FailedRow,
    Hit,
    Kernel,
    Pair,
    ReconcileReport,
    RepairReport,
    SyncReport,
    WorkerStatus,
)
from pgencoder.schema.attach import Wanted
from pgencoder.schema.generations import Begun
from pgencoder.search import Search
from pgencoder.search.ranking import Fusion, Ranking
from pgencoder.search.statement import Boost, Filter
from pgencoder.threads import in_thread
from pgencoder.types import (
    RERANK_TOP,
    Chunking,
    Collection,
    Encoding,
    FusionName,
    Generation,
    Group,
    KernelName,
    Order,
    PairMethod,
    Stage,
    TokenType,
)
from pgencoder.worker.record import OnReport
from pgencoder.worker.worker import Worker, WorkerOptions


class Database:
    """A Postgres database with pgencoder in it. Make one with `connect` or `embedded`; `with` closes it."""

    def __init__(self, engine: sa.Engine, *, owned: bool = False) -> None:
        self.engine = engine
        self.closed = False
        self._connections = Connections(engine)
        self.own_engine = self._connections.own  # for the statements that pgencoder sends; `engine` is the user's
        self._encoders = UsedEncoders()
        self._installation = Installation(self._connections, owned=owned)
        self._collections = Collections(self._connections, self._encoders)
        self._searching = Searching(self._connections, self._encoders)
        self._upkeep = Upkeep(self._connections, self._encoders)

    def __repr__(self) -> str:
        return f"Database({self.engine.url.render_as_string(hide_password=True)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections in the pools."""
        self._connections.close()
        self.closed = True

    def connection(self) -> Any:
        """Return a context with a psycopg connection in autocommit; the first one checks that the schema is there."""
        return self._connections.open()

    @property
    def vector_schema(self) -> str:
        """The schema of pgvector."""
        return self._connections.vector_schema

    def migrate(self, revision: str = "head", *, roles: bool = False) -> None:
        """Create or upgrade the schema `pgencoder`; "base" removes it with all collections. Twice changes nothing.

        `roles` creates the roles `pgencoder_reader`, for searches, and `pgencoder_worker`, and grants them what they
        need of all collections, also of those to come. Raises UnsupportedServer or MissingRights, which say what to do.
        """
        self._installation.migrate(revision, roles=roles)

    def kernel(self) -> Kernel:
        """Return the MaxSim kernel that is in use, and why it is."""
        return self._installation.kernel()

    def use_kernel(self, name: KernelName) -> None:
        """Switch to "sql", or to "native", whose extension is created or updated if need be.

        The next `migrate` uses "native" again if the database has the extension. Raises NativeUnavailable if the server
        has no such extension, and MissingRights if this role may not create it.
        """
        self._installation.use_kernel(name)

    def server_version(self) -> int:
        """Return the server's major version."""
        return self._installation.server_version()

    def pg_config(self) -> Path | None:
        """Return the `pg_config` of the server, if this role may ask for it and the server runs on this machine."""
        return self._installation.pg_config()

    def search(
        self,
        name: str,
        query: str,
        k: int = 10,
        *,
        candidates: int = 100,
        filter: Filter | None = None,
        group: Group = "passage",
        stage: Stage | Ranking | None = None,
        fusion: FusionName | Fusion | None = None,
        weights: Mapping[str, float] | None = None,
        boost: Boost | None = None,
        min_relevance: float | None = None,
        rerank: str | Reranker | None = None,
        rerank_top: int = RERANK_TOP,
        encoder: Encoder | None = None,
    ) -> list[Hit]:
        """Return the `k` best passages for a query; with `group="document"` the best passage of each of `k` documents.

        `filter` is a SQLAlchemy condition on the source table; the recall applies it. `candidates` passages are
        recalled by dense vectors, as many by words and by sparse vectors where those are stored, and then ranked.

        A collection with words or sparse vectors is ranked by `fusion="zscore"`, the weighted mean of the z-scores of
        its scores, unless another is given: "rrf" for the weighted mean of reciprocal ranks, "dense", "lexical",
        "sparse" or "maxsim" for one of the scores alone, or a `Fusion`. `weights` has numbers by these names; by
        default they are 1, 0.5, 0.5 and 1. Other collections are ranked by MaxSim, or by dense vectors if they have no
        tokens.

        `stage` names a whole ranking instead: "dense", "lexical" and "sparse" recall and rank by one of them, "maxsim"
        recalls by dense vectors, "exhaustive" scores all passages by MaxSim, "fused" and "rrf" are the fusions. A
        `Ranking` instead of a stage recalls and scores as it says.

        `boost` is a SQLAlchemy expression over the columns of the source, which is added to the score of a passage:
        with z-scores it is in standard deviations. NULL counts as 0. It changes the order of the candidates, not which
        they are. `min_relevance`, from 0 to 1, leaves out hits of less relevance.

        `rerank` is a last stage in Python: a cross-encoder reads the query with each of the best `rerank_top` hits, and
        its score orders them. Give its name at the hub, its directory, or a `Reranker`. Then relevance is by its score.

        There are fewer than `k` hits only if the filter, the words or `min_relevance` leave fewer, or if rows are not
        encoded yet; then the log says so.
        """
        options = SearchOptions(
            *(k, candidates, filter, group, stage, encoder, fusion, weights, boost, min_relevance, rerank, rerank_top)
        )
        return self._searching.search(name, query, options)

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
        stage: Stage | Ranking | None = None,
        fusion: FusionName | Fusion | None = None,
        weights: Mapping[str, float] | None = None,
        boost: Boost | None = None,
        min_relevance: float | None = None,
        rerank: str | Reranker | None = None,
        rerank_top: int = RERANK_TOP,
        encoder: Encoder | None = None,
    ) -> Context:
        """Return a text for a prompt: the best passages for a query, numbered `[1]`, `[2]`, ..., with their citations.

        The whole text never has more than `max_tokens` tokens, counted by `count_tokens`: give that of your language
        model. Without it the encoder's own tokenizer counts. What that does not know counts as a token for three bytes
        of UTF-8, and so does everything if the encoder has no tokenizer.

        Up to `k` passages are taken, best first, see `search`. Those of one row that overlap or follow each other are
        merged, and one that another contains is left out. The last one ends with a sentence if it does not fit whole.
        `order` "document" puts passages of one row together, in the row's order, the best row first.
        """
        options = ContextOptions(max_tokens, order, count_tokens)
        search = SearchOptions(
            *(k, candidates, filter, "passage", stage, encoder, fusion, weights, boost, min_relevance),
            *(rerank, rerank_top),
        )
        return self._searching.context(name, query, options, search)

    acontext = in_thread(context)

    def explain(
        self, name: str, query: str, key: Any, passage: int = 0, *, encoder: Encoder | None = None
    ) -> Explanation:
        """Explain why a passage matches a query, or how far it does: see `Hit.explain`.

        `key` is the row's primary key, a tuple for a composite one. Raises NotEncoded if there is no such passage, and
        InvalidRequest if the collection has no tokens.
        """
        return self._searching.explain(name, query, key, passage, encoder)

    aexplain = in_thread(explain)

    def encode_query(self, collection: Collection, query: str, encoder: Encoder | None = None) -> Encoding:
        """Return the encoding of a query by the collection's encoder."""
        return self._searching.encode_query(collection, query, encoder)

    def run(
        self,
        collection: Collection,
        search: Search,
        query: Encoding,
        explainer: Callable[[Hit], Explanation] | None = None,
    ) -> list[Hit]:
        """Return the hits of an encoded query; fails if the collection has changed since it was described."""
        return self._searching.run(collection, search, query, explainer)

    def similar_pairs(
        self,
        name: str,
        threshold: float = 0.8,
        *,
        method: PairMethod = "auto",
        limit: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Pair]:
        """Return an iterator of all pairs of rows whose cosine is at least `threshold`.

        The cosine is of the dense vectors as they are stored (halves), of the two most similar passages if a row has
        several. Pairs come as they are found, each once, in any order; with `limit` only the most similar ones come,
        the best first, at the end. "exact" finds every pair. "ann" finds nearly all, in far less time if there are many
        rows: a sample sets it to find 98 in 100, or where similar pairs are rare 90 in 100 of those just at the
        threshold. "auto" is "exact" if that takes up to half a minute, by an estimate, and otherwise "ann", unless the
        sample says that it would find fewer; the log says which.

        The vectors are those at the time when the first pair is asked for. Pairs of rows that were deleted or hidden
        since then are left out. The vectors wait in a temporary file, 2 bytes a dimension. `progress` is called with
        the rows done and all rows. Raises NotEncoded if nothing is encoded, and DiskFull if the vectors do not fit.
        """
        return self._searching.similar_pairs(name, PairSearch(threshold, method, limit), progress)

    def collection(self, name: str) -> Collection:
        """Return the description of a collection; raises UnknownCollection."""
        return self._connections.collection(name)

    def collections(self) -> list[Collection]:
        """Return the descriptions of all collections."""
        return self._collections.all()

    def table(self, name: str) -> sa.Table:
        """Return the source table of a collection, reflected, for filters: `db.table("articles").c.lang == "en"`."""
        return self._connections.table(name)

    def attach(
        self,
        table: str,
        columns: Sequence[str],
        model: str | Encoder = DEFAULT_MODEL,
        *,
        token_model: str | None = None,
        sparse_model: str | None = None,
        schema: str | None = None,
        name: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking = "default",
        lexical: str | None = None,
        pooling: int = 1,
        representations: Sequence[Representation] = (),
        allow_untrained: bool = False,
        exist_ok: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Make a collection of a table and queue its rows; returns the number of rows.

        `table` is looked up on the search path, or in `schema`. The collection is called `name`, or like the table.
        `columns` are encoded together, with a space between them. `model` is a Sentence-BERT checkpoint, a model of a
        service (see `load_encoder`) or an `Encoder`, `token_model` a second checkpoint for the token vectors,
        `sparse_model` another for a sparse vector (SPLADE). `tokens` are stored as "bit", the default if the encoder
        has them, or as "halfvec"; with "none" there are no token vectors. `chunking="truncate"` makes one passage of a
        row and cuts it at the model's limit. `lexical` stores words too, for BM25: it names a configuration of full
        text search, such as "english"; "default" is the server's, "none" stores none.
        `representations` are stored beside the vectors, see `pgencoder.representations`. `progress` is called with the
        rows queued and an estimate of all.

        Raises CollectionExists if there is a collection of that name. With `exist_ok` it stays as it is, and the error
        is raised only if it differs from what is asked for.
        """
        encoder = self._encoders.named(model, token_model, sparse_model, allow_untrained)
        wanted = Wanted(table, columns, encoder, schema, name, tokens, chunking, representations, lexical, pooling)
        return self._collections.attach(wanted, exist_ok, progress)

    def detach(self, name: str) -> None:
        """Remove a collection and everything that was made for it; the source table keeps its rows."""
        self._collections.detach(name)

    def reencode(
        self,
        name: str,
        model: str | Encoder | None = None,
        *,
        token_model: str | None = None,
        sparse_model: str | None = None,
        tokens: TokenType | None = None,
        chunking: Chunking | None = None,
        lexical: str | None = None,
        pooling: int | None = None,
        allow_untrained: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Begin another generation of a collection and queue its rows; returns their number.

        Searches go on with the active generation, and both stay in step with the table. A worker or `sync` encodes the
        new one, and `activate` lets searches use it. The models, `tokens`, `chunking`, `lexical` and `pooling` stay
        unless given; a `token_model` and a `sparse_model` are given with their `model`. `tokens` are "none" if the
        encoder has no token vectors. A generation that is being built goes on
        if it is of the same encoder, tokens, chunking and lexical; otherwise it is removed.
        """
        encoder = self._collections.next_encoder(name, model, token_model, sparse_model, allow_untrained)
        return self.begin(name, encoder, tokens, chunking, lexical, pooling, progress=progress).queued

    def begin(
        self,
        name: str,
        encoder: Encoder,
        tokens: TokenType | None = None,
        chunking: Chunking | None = None,
        lexical: str | None = None,
        pooling: int | None = None,
        *,
        progress: Progress | None = None,
    ) -> Begun:
        """Like `reencode` with this encoder, but return the generation, and if it is new."""
        return self._collections.begin(name, encoder, tokens, chunking, lexical, pooling, progress)

    def activate(self, name: str, generation: int | None = None) -> Generation:
        """Let searches use another generation; raises GenerationIncomplete if they would lose rows."""
        return self._collections.activate(name, generation)

    def rollback(self, name: str) -> Generation:
        """Let searches use the generation again that was active before."""
        return self._collections.rollback(name)

    def drop(self, name: str, generation: int | None = None) -> Generation:
        """Remove a generation that is not active, and free its space."""
        return self._collections.drop(name, generation)

    def repair(self, name: str, *, progress: Progress | None = None) -> RepairReport:
        """Repair a collection: make the triggers, functions and policies that it has lost, and follow its table.

        A table that was dropped and created again, restored or swapped counts as the collection's; every row that
        differs is queued. Keys whose type has changed are converted, and the vectors stay. `progress` is called with
        the rows compared. Raises InvalidSource for damage that cannot be repaired, such as a table that is gone.
        """
        return self._collections.repair(name, progress)

    def sync(
        self,
        name: str,
        *,
        encoder: Encoder | None = None,
        rows: int | None = None,
        progress: Progress | bool | None = None,
    ) -> SyncReport:
        """Encode what is queued, here and now.

        If a row cannot be read or encoded it waits for another attempt, and the others are done: the report says how
        many `failed`, and the `error` of one of them; `failed()` has all. If a whole batch fails, the rest waits. If an
        index cannot be built the report says so. An error is raised only if it concerns the whole collection: a model
        that does not load, vectors of another model, a table that is gone or replaced, errors of the database.

        `encoder` is needed only for a collection that another process attached with an `Encoder` object; then only the
        generations of that encoder are worked on. With `rows` it stops after the batch that reaches that number; the
        rest stays queued.

        Terminals and notebooks show a bar, unless `progress` is False. If `progress` is a function, it is called with
        the rows done and the rows known of, and there is no bar.
        """
        return self._upkeep.sync(name, encoder, rows, progress)

    def worker(
        self,
        *,
        encoders: Sequence[Encoder] = (),
        options: WorkerOptions | None = None,
        device: str | None = None,
        on_report: OnReport | None = None,
    ) -> Worker:
        """Return a worker on all collections: call its `run`, which returns after its `stop`, or its `run_once`.

        `encoders` are those of collections that were attached with an `Encoder` object. Models are loaded when they are
        first needed, on `device`, such as "cuda:1"; without it on the fastest one.
        """
        return self._upkeep.worker(encoders, options, device, on_report)

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
        """Take over vectors that exist already, without encoding; returns how many rows got one.

        They go into `generation`: if that is not given, into the one being built, or else the active one. `table` has
        columns named like the source's key, a column `dense` and perhaps one of `tokens`; it may be the source itself.
        Each queued row with a vector becomes one passage. The others stay queued.
        """
        return self._upkeep.adopt(name, VectorTable(table, dense, tokens, schema), generation, progress)

    def retry(self, name: str) -> int:
        """Queue again the rows that could not be encoded, and a failed index; returns the number of rows."""
        return self._upkeep.retry(name)

    def reconcile(self, name: str, *, progress: Progress | None = None) -> ReconcileReport:
        """Find the missing, stale and orphaned passages that no trigger saw, in every generation, and queue their rows.

        Raises InvalidSource if the table is gone, or is not the one that was attached.
        """
        return self._upkeep.reconcile(name, progress)

    def status(self) -> list[CollectionStatus]:
        """Return the state of each collection."""
        return self._upkeep.status()

    astatus = in_thread(status)

    def workers(self) -> list[WorkerStatus]:
        """Return the workers that run on this database, and those that died within a day, the ones seen last first."""
        with self.connection() as connection:
            return status.workers(connection)

    aworkers = in_thread(workers)

    def failed(self, name: str | None = None, limit: int = 100) -> list[FailedRow]:
        """Return the rows that could not be encoded, and why, the oldest first."""
        with self.connection() as connection:
            return status.failed(connection, name, limit)

    afailed = in_thread(failed)
