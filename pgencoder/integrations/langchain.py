"""For LangChain: a retriever for the passages of any collection, and a vector store with its own table."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from pgencoder.database import Database
from pgencoder.encoders import DEFAULT_MODEL, DenseEncoder, Encoder
from pgencoder.errors import InvalidRequest, MissingExtra
from pgencoder.integrations import filters, passages, store_table
from pgencoder.integrations.columns import source_fields
from pgencoder.integrations.refusal import as_list, to_json
from pgencoder.integrations.store import Store
from pgencoder.opening import connect
from pgencoder.results import Hit
from pgencoder.search.statement import Filter
from pgencoder.types import Group, Matrix, Stage, TokenType
from pgencoder.vectors import normalize

try:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables.config import run_in_executor
    from langchain_core.vectorstores import VectorStore
    from langchain_core.vectorstores.utils import maximal_marginal_relevance
    from pydantic import SkipValidation
except ImportError as error:
    raise MissingExtra(
        "pgencoder.integrations.langchain needs LangChain; install it: pip install 'pgencoder[langchain]'"
    ) from error

Where = Filter | Mapping[str, Any]


class PgencoderRetriever(BaseRetriever):
    """Finds passages with `Database.search` and takes its arguments; `invoke` takes them too.

    `filter` may also be a dict on the source's columns, see `pgencoder.integrations.filters`.

    Each document has the metadata collection, key, passage, span and score, and the source's `metadata_columns`.
    """

    db: Database
    collection: str
    k: int = 10
    candidates: int = 100
    filter: SkipValidation[Where | None] = None
    group: Group = "passage"
    stage: Stage | None = None
    encoder: SkipValidation[Encoder | None] = None
    metadata_columns: Sequence[str] = ()

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,  # noqa: ARG002
        **search: Any,
    ) -> list[Document]:
        names = ("k", "candidates", "filter", "group", "stage", "encoder")
        search = {name: getattr(self, name) for name in names} | search
        if isinstance(search["filter"], Mapping):
            search["filter"] = filters.condition(search["filter"], source_fields(self.db, self.collection))
        found = passages.find(self.db, self.collection, query, self.metadata_columns, **search)
        return [
            Document(id=passage.id, page_content=passage.content, metadata=dict(passage.metadata)) for passage in found
        ]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun | None = None,  # noqa: ARG002
        **search: Any,
    ) -> list[Document]:
        return await run_in_executor(None, self._get_relevant_documents, query, **search)


class PgencoderVectorStore(VectorStore):
    """Keeps documents in a table with the columns id, content and metadata, and searches them.

    With an `embedding` the store keeps and compares its vectors, one for each document. Without it, pgencoder's model
    encodes and MaxSim ranks. A long document is then split into passages; its best passage finds it, and the search
    returns the whole document.

    `create` makes the table and its collection, and does not touch a table that it did not make. The constructor takes
    any collection with one encoded column and a key of one column of type text or uuid. Added documents are encoded
    before the call returns. The `filter` of a search is a dict on the metadata, see `pgencoder.integrations.filters`,
    or a SQLAlchemy condition on the table; the recall stage applies it.

    The asynchronous methods run the others in threads.
    """

    def __init__(
        self,
        db: Database | str,
        name: str,
        embedding: Embeddings | None = None,
        *,
        embedding_name: str | None = None,
        encoder: Encoder | None = None,
        metadata_column: str = "metadata",
    ) -> None:
        """Open the store of a collection.

        `embedding_name` is stored, so that vectors of another model are noticed; the default is the class and its
        `model`. A collection that was attached with an `Encoder` object needs `encoder`. Raises InvalidSource for a
        collection that a store cannot use, and FingerprintMismatch for vectors of another model.
        """
        if encoder is None and embedding is not None:
            encoder = encoder_of(embedding, embedding_name)
        self._embedding = embedding
        self._store = Store(db, name, encoder, metadata_column)
        self.db = self._store.db
        self.name = name

    @classmethod
    def create(
        cls,
        db: Database | str,
        name: str,
        embedding: Embeddings | None = None,
        *,
        embedding_name: str | None = None,
        encoder: Encoder | None = None,
        model: str = DEFAULT_MODEL,
        token_model: str | None = None,
        tokens: TokenType | None = None,
    ) -> Self:
        """Return the store `name`; create its table and collection if they do not exist.

        Without an `embedding` the texts are encoded by `model` and `token_model`, or by `encoder`, see
        `Database.attach`. Raises InvalidSource if the table `name`, or the table of the collection `name`, was not made
        by `create`.
        """
        db = connect(db) if isinstance(db, str) else db
        if encoder is None and embedding is not None:
            encoder = encoder_of(embedding, embedding_name)
        store_table.create(db, name, store_table.DOCUMENTS, encoder or model, token_model=token_model, tokens=tokens)
        return cls(db, name, embedding, encoder=encoder)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        db: Database | str | None = None,
        name: str = "langchain",
        **create: Any,
    ) -> Self:
        """Return the store `name` in the database `db`, see `create`, and add these texts to it."""
        if db is None:
            raise InvalidRequest("from_texts needs the database: db=pgencoder.connect(...), or its URL")
        store = cls.create(db, name, embedding, **create)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings | None:
        """The embedding; None if pgencoder's own model encodes."""
        return self._embedding

    def add_texts(  # type: ignore[override]  # without **kwargs, which would swallow a misspelt name
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,  # noqa: ARG002 - LangChain's index() passes it
    ) -> list[str]:
        """Add or replace documents, all or none, encode them, and return their ids.

        A document without an id gets a new one. An id has at most 2000 bytes. Raises EncoderError if documents could
        not be encoded: they are stored, and the next call that adds documents tries them again, or a worker that has
        the encoder. `pgencoder worker` only loads models by name. For an `embedding` or an `encoder` object run
        `Database.worker(encoders=[...])` in a process that has the object.
        """
        texts = as_list(texts, "texts")
        metadatas = [None for _ in texts] if metadatas is None else metadatas
        given = [None for _ in texts] if ids is None else as_list(ids, "ids")
        if not len(texts) == len(metadatas) == len(given):
            raise InvalidRequest(
                f"each text needs a metadata and an id, got {len(texts)} texts, {len(metadatas)} metadatas and"
                f" {len(given)} ids; use None for those that have none"
            )
        chosen = self._store.new_ids(uuid.uuid4() if each is None else each for each in given)
        # of two documents with the same id the last counts
        documents = dict(zip(chosen, zip(texts, metadatas, strict=True), strict=True))
        if documents:
            contents, values = zip(*documents.values(), strict=True)
            jsons = [to_json(each or {}, "metadata") for each in values]
            self._store.execute("upsert_documents", list(documents), list(contents), jsons)
            self._store.encode(list(documents))
        return chosen

    def delete(self, ids: Sequence[str] | None = None) -> bool:  # type: ignore[override]  # as add_texts
        """Delete the documents with these ids and their passages; without ids all, if `create` made the table."""
        if ids is None:
            self._store.clear()
        else:
            self._store.delete(self._store.ids(ids))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents with these ids in this order, without ids that do not exist."""
        wanted = self._store.ids(ids)
        found = self._stored(wanted)
        return [found[each] for each in wanted if each in found]

    def similarity_search(self, query: str, k: int = 4, **search: Any) -> list[Document]:
        """Return the `k` best documents for a query; takes `filter` and `candidates` too."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **search)]

    def similarity_search_with_score(self, query: str, k: int = 4, **search: Any) -> list[tuple[Document, float]]:
        """Return the `k` best documents with their scores, MaxSim or the cosine of an `embedding`; higher is better."""
        return [(document, hit.score) for document, hit in self._documents(self._hits(query, k, **search))]

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **search: Any) -> list[Document]:
        """Return the `k` documents that are nearest to a dense vector; takes `filter` and `candidates` too."""
        return [document for document, _ in self._documents(self._nearest(embedding, k, **search))]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **search: Any
    ) -> list[Document]:
        """Return `k` of the `fetch_k` best documents that are near the query and far from each other.

        Near and far are measured with the dense vectors.
        """
        hits = self._hits(query, fetch_k, **search)
        return self._diverse(self._store.question(query).dense, hits, k, lambda_mult)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **search: Any
    ) -> list[Document]:
        """Return `k` of the `fetch_k` documents nearest to a dense vector that are far from each other."""
        hits = self._nearest(embedding, fetch_k, **search)
        return self._diverse(np.asarray(embedding), hits, k, lambda_mult)

    def _diverse(self, dense: Matrix, hits: Sequence[Hit], k: int, lambda_mult: float) -> list[Document]:
        vectors = self._store.dense(hits)
        places = maximal_marginal_relevance(normalize(dense), list(vectors.values()), lambda_mult, k)
        chosen = list(vectors)
        return [document for document, _ in self._documents([hits[chosen[place]] for place in places])]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        """Return a function from a cosine to a relevance from 0 to 1; a negative cosine has the relevance 0."""
        return lambda cosine: min(1.0, max(0.0, cosine))

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **search: Any
    ) -> list[tuple[Document, float]]:
        # MaxSim is a sum of cosines, one for each token of the query
        terms = 1
        if self.db.collection(self.name).generation.dims.tokens:
            terms = len(self._store.question(query).tokens)
        relevance = self._select_relevance_score_fn()
        return [
            (document, relevance(score / terms))
            for document, score in self.similarity_search_with_score(query, k, **search)
        ]

    async def _asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **search: Any
    ) -> list[tuple[Document, float]]:
        return await run_in_executor(None, self._similarity_search_with_relevance_scores, query, k, **search)

    def _hits(self, query: str, k: int, *, filter: Where | None = None, candidates: int = 100) -> list[Hit]:
        return self._store.search(query, k, self._condition(filter), candidates)

    def _nearest(
        self, embedding: Sequence[float], k: int, *, filter: Where | None = None, candidates: int = 100
    ) -> list[Hit]:
        return self._store.nearest(embedding, k, self._condition(filter), candidates)

    def _condition(self, filter: Where | None) -> Filter | None:
        if not isinstance(filter, Mapping):
            return filter
        return filters.condition(filter, filters.metadata_field(self._store.metadata))

    def _documents(self, hits: Sequence[Hit]) -> list[tuple[Document, Hit]]:
        """Return the whole document of each hit, without documents that were deleted after the search."""
        found = self._stored([str(hit.key) for hit in hits])
        return [(found[str(hit.key)], hit) for hit in hits if str(hit.key) in found]

    def _stored(self, ids: Sequence[str]) -> dict[str, Document]:
        return {
            key: Document(id=key, page_content=content, metadata=metadata)
            for key, content, metadata in self._store.execute("read_documents", list(ids))
        }


def encoder_of(embedding: Embeddings, name: str | None = None) -> DenseEncoder:
    """Return an encoder around a LangChain embedding; its default name is the class and the model."""
    if name is None:
        models = (getattr(embedding, attribute, None) for attribute in ("model", "model_name", "model_id"))
        name = ":".join([type(embedding).__name__, *[model for model in models if isinstance(model, str)][:1]])
    return DenseEncoder(embedding.embed_documents, embedding.embed_query, name=name)
