"""A LlamaIndex vector store that keeps nodes in its own table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores import MetadataFilters, VectorStoreQuery, VectorStoreQueryResult
from llama_index.core.vector_stores.types import BasePydanticVectorStore, VectorStoreQueryMode

from pgencoder.database import Database
from pgencoder.encoders import DEFAULT_MODEL, Encoder
from pgencoder.errors import InvalidRequest
from pgencoder.integrations import store_table
from pgencoder.integrations.llama_index.nodes import GivenVectors, Nodes
from pgencoder.opening import connect
from pgencoder.results import Hit
from pgencoder.threads import in_thread
from pgencoder.types import TokenType

# Maximal marginal relevance chooses from this many times the wanted number of nodes
MMR_PREFETCH = 4


class PgencoderVectorStore(BasePydanticVectorStore):
    """Keeps nodes in its own table and searches them; `VectorStoreIndex` works with it.

    With `embed_dim` the store keeps and compares the vectors that come with nodes and queries; the index makes them
    with its embed_model. Without it, pgencoder's model encodes the text of the nodes (not their metadata) and MaxSim
    ranks. The index makes vectors then too, and the store ignores them: give the index
    `embed_model=MockEmbedding(1)`, which costs nothing.

    The recall applies the filters, see `pgencoder.integrations.llama_index.filters`. A node without text is stored, but
    no query finds it. The asynchronous methods run the others in threads.
    """

    stores_text: bool = True
    name: str
    embed_dim: int | None = None
    _nodes: Nodes = PrivateAttr()

    def __init__(
        self,
        db: Database | str,
        name: str,
        *,
        embed_dim: int | None = None,
        embedding_name: str = "LlamaIndex",
        encoder: Encoder | None = None,
    ) -> None:
        """Open the store `name`, which `create` has made.

        `embedding_name` is stored, so that vectors of another model are noticed. A store that was made with an
        `Encoder` object needs `encoder`. Raises InvalidSource for a table that a store cannot use, and
        FingerprintMismatch for vectors of another model.
        """
        super().__init__(name=name, embed_dim=embed_dim, is_embedding_query=embed_dim is not None)  # type: ignore[call-arg]
        self._nodes = Nodes(db, name, _encoder(embed_dim, embedding_name, encoder))

    @classmethod
    def create(
        cls,
        db: Database | str,
        name: str,
        *,
        embed_dim: int | None = None,
        embedding_name: str = "LlamaIndex",
        encoder: Encoder | None = None,
        model: str = DEFAULT_MODEL,
        token_model: str | None = None,
        tokens: TokenType | None = None,
    ) -> Self:
        """Return the store `name`; create its table and collection if they do not exist.

        Without `embed_dim` the texts are encoded by `model` and `token_model`, or by `encoder`, see `Database.attach`.
        Raises InvalidSource if the table `name`, or the table of the collection `name`, was not made by `create`.
        """
        db = connect(db) if isinstance(db, str) else db
        chosen = _encoder(embed_dim, embedding_name, encoder) or model
        store_table.create(db, name, store_table.NODES, chosen, token_model=token_model, tokens=tokens)
        store = cls(db, name, embed_dim=embed_dim, embedding_name=embedding_name, encoder=encoder)
        if embed_dim is not None:
            store._nodes.sync()  # the rows from before a detach
        return store

    @classmethod
    def class_name(cls) -> str:
        """Return the name of the class in LlamaIndex."""
        return "PgencoderVectorStore"

    @property
    def client(self) -> Database:
        """The database."""
        return self._nodes.db

    # The methods take no **kwargs, because those would hide a misspelt name

    def add(self, nodes: Sequence[BaseNode]) -> list[str]:  # type: ignore[override]
        """Add or replace nodes, all or none, and return their ids.

        Searches find them when this returns. Raises EncoderError if nodes could not be encoded: they are stored, and
        the next call that adds nodes tries them again, or a worker.
        """
        return self._nodes.add(nodes)

    def delete(self, ref_doc_id: str) -> None:  # type: ignore[override]
        """Delete the nodes of a document."""
        self._remove(doc_ids=[ref_doc_id])

    def delete_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> None:  # type: ignore[override]
        """Delete the nodes that have these ids and pass the filters; without ids and filters delete none."""
        if node_ids is not None or filters is not None:
            self._remove(filters, node_ids)

    def clear(self) -> None:
        """Delete all nodes."""
        self._nodes.clear()

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Return the nodes that have these ids, in this order, and pass the filters; without both all nodes."""
        passed = self._nodes.matching(self._nodes.where(filters, node_ids))
        found = self._nodes.read(passed)
        return [found[each] for each in (passed if node_ids is None else dict.fromkeys(node_ids)) if each in found]

    def query(  # type: ignore[override]
        self,
        query: VectorStoreQuery,
        *,
        candidates: int = 100,
        mmr_threshold: float | None = None,
        mmr_prefetch_factor: int = MMR_PREFETCH,
    ) -> VectorStoreQueryResult:
        """Return the best nodes for a query of the mode default or mmr; scores are cosines, or MaxSim.

        `node_ids`, if not empty, and `doc_ids` narrow the search, as `filters` do. An index passes the other arguments
        in `vector_store_kwargs`. The search recalls `candidates` passages and reranks them by MaxSim.
        """
        if query.mode not in (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.MMR):
            raise InvalidRequest(f"the mode must be default or mmr, got {query.mode.value}")
        # an index gives an empty list of node_ids if the store has all its text
        passed = self._nodes.where(query.filters, query.node_ids or None, query.doc_ids)
        if query.mode == VectorStoreQueryMode.DEFAULT:
            hits = self._hits(query, query.similarity_top_k, passed, candidates)
            return self._result([(hit, hit.score) for hit in hits])
        hits = self._hits(query, query.similarity_top_k * mmr_prefetch_factor, passed, candidates)
        vectors = self._nodes.dense(hits)
        scores, places = get_top_k_mmr_embeddings(
            self._dense(query),
            list(vectors.values()),
            similarity_top_k=query.similarity_top_k,
            embedding_ids=list(vectors),
            mmr_threshold=query.mmr_threshold if mmr_threshold is None else mmr_threshold,
        )
        return self._result([(hits[place], score) for place, score in zip(places, scores, strict=True)])

    def _hits(self, query: VectorStoreQuery, k: int, passed: Any, candidates: int) -> list[Hit]:
        if self._nodes.given:
            return self._nodes.nearest(self._dense(query), k, passed, candidates)
        return self._nodes.search(_text(query), k, passed, candidates)

    def _dense(self, query: VectorStoreQuery) -> list[float]:
        if not self._nodes.given:
            return self._nodes.question(_text(query)).dense.tolist()  # type: ignore[no-any-return]
        if query.query_embedding is None:
            raise InvalidRequest("this store needs the vector of the query; give query_embedding")
        return query.query_embedding

    def _result(self, hits: Sequence[tuple[Hit, float]]) -> VectorStoreQueryResult:
        found = self._nodes.read([str(hit.key) for hit, _ in hits])
        there = [(found[str(hit.key)], score) for hit, score in hits if str(hit.key) in found]
        return VectorStoreQueryResult(
            nodes=[node for node, _ in there],
            similarities=[score for _, score in there],
            ids=[node.node_id for node, _ in there],
        )

    def _remove(
        self,
        filters: MetadataFilters | None = None,
        node_ids: list[str] | None = None,
        doc_ids: list[str] | None = None,
    ) -> None:
        ids = self._nodes.matching(self._nodes.where(filters, node_ids, doc_ids))
        if ids:
            self._nodes.delete(ids)

    async_add = in_thread(add)  # type: ignore[arg-type]
    adelete = in_thread(delete)  # type: ignore[arg-type]
    adelete_nodes = in_thread(delete_nodes)  # type: ignore[arg-type]
    aclear = in_thread(clear)  # type: ignore[arg-type]
    aget_nodes = in_thread(get_nodes)  # type: ignore[arg-type]
    aquery = in_thread(query)  # type: ignore[arg-type]


def _text(query: VectorStoreQuery) -> str:
    if query.query_str is None:
        raise InvalidRequest("this store needs the text of the query; give query_str")
    return query.query_str


def _encoder(embed_dim: int | None, name: str, encoder: Encoder | None) -> Encoder | None:
    if embed_dim is None:
        return encoder
    if encoder is not None:
        raise InvalidRequest("embed_dim and encoder exclude each other; with embed_dim the vectors come with the nodes")
    return GivenVectors(embed_dim, name)
