"""A LangChain retriever of any collection's passages, and a vector store that keeps documents in a table of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from pgencoder.client import Database, connect
from pgencoder.encoders import DEFAULT_MODEL, DenseEncoder, Encoder
from pgencoder.errors import InvalidRequest, MissingExtra
from pgencoder.integrations import filters, passages, store_table
from pgencoder.integrations.columns import source_fields
from pgencoder.integrations.refusal import listed, to_json
from pgencoder.integrations.store import Store
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
    """Finds passages by `Database.search`, whose arguments these are; `invoke` takes them too.

    `filter` may also be a dict on the source's columns, as `pgencoder.integrations.filters` describes it.

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

    With an `embedding` it stores and compares the vectors of that, one of a document. Without, pgencoder's own model
    encodes, and MaxSim ranks; a long document is split into passages, found by its best one, and comes back whole.

    `create` makes the table and its collection, and leaves tables of another's making alone. The constructor uses any
    collection of which one column is encoded and the key is one of text or uuid. What is added is encoded before the
    call returns. `filter` of the searches is a dict on the metadata, as `pgencoder.integrations.filters` describes it,
    or a SQLAlchemy condition on the table; it is applied inside the recall stage.

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
        """The store of a collection.

        `embedding_name` is stored to tell the vectors from those of other models: the class and its `model` if not
        given. `encoder` is needed for a collection that was attached with an `Encoder` object. Raises
        InvalidSource for a collection that cannot be used, and FingerprintMismatch for vectors of another model.
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
        """The store `name`, whose table and collection are made if they are not there yet.

        Without an `embedding`, `model` and `token_model` or an `encoder` encode, see `Database.attach`. Raises
        InvalidSource where `name` is a table, or a collection of one, that `create` did not make.
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
        """The store `name` in the database `db`, see `create`, with these texts added to it."""
        if db is None:
            raise InvalidRequest("from_texts needs the database: db=pgencoder.connect(...), or its URL")
        store = cls.create(db, name, embedding, **create)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings | None:
        """The embedding; None where pgencoder's own model encodes."""
        return self._embedding

    def add_texts(  # type: ignore[override]  # without **kwargs, which would swallow a misspelt name
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,  # noqa: ARG002 - LangChain's index() passes it
    ) -> list[str]:
        """Add or replace documents, all or none of them, and encode them; returns their ids.

        An id is made where there is none; one of up to 2000 bytes can be stored. Raises EncoderError for those that
        could not be encoded: they are stored, and tried again when something is added, or by a worker that has the
        encoder. `pgencoder worker` loads models by name only: for an `embedding` or an `encoder` object, run
        `Database.worker(encoders=[...])` in a process that has it.
        """
        texts = listed(texts, "texts")
        metadatas = [None for _ in texts] if metadatas is None else metadatas
        given = [None for _ in texts] if ids is None else listed(ids, "ids")
        if not len(texts) == len(metadatas) == len(given):
            raise InvalidRequest(
                f"as many metadatas and ids as texts are needed, got {len(texts)} texts, {len(metadatas)} metadatas and"
                f" {len(given)} ids"
            )
        chosen = self._store.new_ids(uuid.uuid4() if each is None else each for each in given)
        # the last one where an id is there twice
        documents = dict(zip(chosen, zip(texts, metadatas, strict=True), strict=True))
        if documents:
            contents, values = zip(*documents.values(), strict=True)
            jsons = [to_json(each or {}, "metadata") for each in values]
            self._store.execute("upsert_documents", list(documents), list(contents), jsons)
            self._store.encode(list(documents))
        return chosen

    def delete(self, ids: Sequence[str] | None = None) -> bool:  # type: ignore[override]  # as add_texts
        """Delete the documents with these ids, or all of a table that `create` made; their passages too."""
        if ids is None:
            self._store.clear()
        else:
            self._store.delete(self._store.ids(ids))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids, in this order, those that are not there left out."""
        wanted = self._store.ids(ids)
        found = self._stored(wanted)
        return [found[each] for each in wanted if each in found]

    def similarity_search(self, query: str, k: int = 4, **search: Any) -> list[Document]:
        """The `k` best documents for a query; takes `filter` and `candidates` too."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **search)]

    def similarity_search_with_score(self, query: str, k: int = 4, **search: Any) -> list[tuple[Document, float]]:
        """The `k` best documents and their scores, higher is better: MaxSim, or the cosine of an `embedding`."""
        return [(document, hit.score) for document, hit in self._documents(self._hits(query, k, **search))]

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **search: Any) -> list[Document]:
        """The `k` documents that are nearest to a dense vector; takes `filter` and `candidates` too."""
        return [document for document, _ in self._documents(self._nearest(embedding, k, **search))]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **search: Any
    ) -> list[Document]:
        """Of the `fetch_k` best documents `k` that are near the query and far from each other, by dense vectors."""
        hits = self._hits(query, fetch_k, **search)
        return self._diverse(self._store.question(query).dense, hits, k, lambda_mult)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **search: Any
    ) -> list[Document]:
        """Of the `fetch_k` documents nearest to a dense vector `k` that are far from each other."""
        hits = self._nearest(embedding, fetch_k, **search)
        return self._diverse(np.asarray(embedding), hits, k, lambda_mult)

    def _diverse(self, dense: Matrix, hits: Sequence[Hit], k: int, lambda_mult: float) -> list[Document]:
        vectors = self._store.dense(hits)
        places = maximal_marginal_relevance(normalize(dense), list(vectors.values()), lambda_mult, k)
        chosen = list(vectors)
        return [document for document, _ in self._documents([hits[chosen[place]] for place in places])]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        """A cosine as a relevance from 0 to 1: what points away from the query is not relevant at all."""
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
        """The whole document of each hit; without those that went after the search."""
        found = self._stored([str(hit.key) for hit in hits])
        return [(found[str(hit.key)], hit) for hit in hits if str(hit.key) in found]

    def _stored(self, ids: Sequence[str]) -> dict[str, Document]:
        return {
            key: Document(id=key, page_content=content, metadata=metadata)
            for key, content, metadata in self._store.execute("read_documents", list(ids))
        }


def encoder_of(embedding: Embeddings, name: str | None = None) -> DenseEncoder:
    """The encoder that a LangChain embedding is, named by its class and model if not given."""
    if name is None:
        models = (getattr(embedding, attribute, None) for attribute in ("model", "model_name", "model_id"))
        name = ":".join([type(embedding).__name__, *[model for model in models if isinstance(model, str)][:1]])
    return DenseEncoder(embedding.embed_documents, embedding.embed_query, name=name)
