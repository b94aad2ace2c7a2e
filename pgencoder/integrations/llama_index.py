"""A LlamaIndex retriever: the passages of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgencoder.client import Database
from pgencoder.encoders import Encoder, query_text
from pgencoder.integrations import passages
from pgencoder.query.statement import Filter
from pgencoder.threads import in_thread
from pgencoder.types import Group, Stage

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.schema import (
        NodeRelationship,
        NodeWithScore,
        QueryBundle,
        QueryType,
        RelatedNodeInfo,
        TextNode,
    )
except ImportError as error:
    raise ImportError(
        "pgencoder.integrations.llama_index needs LlamaIndex; install it: pip install 'pgencoder[llama-index]'"
    ) from error


class PgencoderRetriever(BaseRetriever):
    """Finds passages by `Database.search`, whose arguments these are.

    Each node has the metadata collection, key, passage, span and score, and the source's `metadata_columns`; its
    `ref_doc_id` names the row. A language model and an embedding are shown only the content and those columns.
    """

    def __init__(
        self,
        db: Database,
        collection: str,
        *,
        k: int = 10,
        candidates: int = 100,
        filter: Filter | None = None,
        group: Group = "passage",
        stage: Stage | None = None,
        encoder: Encoder | None = None,
        metadata_columns: Sequence[str] = (),
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager=callback_manager)
        self._db = db
        self._collection = collection
        self._columns = metadata_columns
        self._search = {
            "k": k, "candidates": candidates, "filter": filter, "group": group, "stage": stage,
            "encoder": encoder}  # fmt: skip

    def retrieve(self, str_or_query_bundle: QueryType) -> list[NodeWithScore]:
        """The passages for a query; raises InvalidRequest for what is not text."""
        return super().retrieve(_checked(str_or_query_bundle))

    async def aretrieve(self, str_or_query_bundle: QueryType) -> list[NodeWithScore]:
        """`retrieve`, to be awaited."""
        return await super().aretrieve(_checked(str_or_query_bundle))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = passages.find(self._db, self._collection, query_bundle.query_str, self._columns, **self._search)
        return [NodeWithScore(node=_node(passage), score=passage.score) for passage in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await in_thread(self._retrieve)(query_bundle)


def _checked(query: QueryType) -> QueryType:
    # LlamaIndex's own error about it has many lines
    return query if isinstance(query, QueryBundle) else query_text(query)


def _node(passage: passages.Passage) -> TextNode:
    own: list[Any] = list(passages.OWN)
    return TextNode(
        id_=passage.id,
        text=passage.content,
        metadata=dict(passage.metadata),
        start_char_idx=passage.span[0],
        end_char_idx=passage.span[1],
        excluded_llm_metadata_keys=own,
        excluded_embed_metadata_keys=own,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.row)},
    )
