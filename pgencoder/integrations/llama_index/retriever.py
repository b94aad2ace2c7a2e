"""A LlamaIndex retriever for the passages of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, QueryType, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import MetadataFilters

from pgencoder.database import Database
from pgencoder.encoders import Encoder, query_text
from pgencoder.errors import InvalidRequest
from pgencoder.integrations import passages
from pgencoder.integrations.columns import source_fields
from pgencoder.integrations.llama_index.filters import condition
from pgencoder.search.statement import Filter
from pgencoder.threads import in_thread
from pgencoder.types import Group, Stage

DEFAULT_K = 10


class PgencoderRetriever(BaseRetriever):
    """Finds passages with `Database.search` and takes its arguments.

    `similarity_top_k` is another name for `k`; the default is 10. `filters` are conditions on the columns of the
    source, or on keys of its jsonb columns ("facts.author"). The recall applies them, like `filter`.

    Each node has the metadata collection, key, passage, span and score, and the source's `metadata_columns`. Its
    `ref_doc_id` names the row. A language model and an embedding see only the content and those columns.
    """

    def __init__(
        self,
        db: Database,
        collection: str,
        *,
        k: int | None = None,
        similarity_top_k: int | None = None,
        candidates: int = 100,
        filter: Filter | None = None,
        filters: MetadataFilters | None = None,
        group: Group = "passage",
        stage: Stage | None = None,
        encoder: Encoder | None = None,
        metadata_columns: Sequence[str] = (),
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager=callback_manager)
        if k is not None and similarity_top_k is not None:
            raise InvalidRequest("k and similarity_top_k are the same; give one of them")
        if k is None:
            k = DEFAULT_K if similarity_top_k is None else similarity_top_k
        self._db = db
        self._collection = collection
        self._columns = metadata_columns
        self._filters = filters
        self._search: dict[str, Any] = {
            "k": k, "candidates": candidates, "filter": filter, "group": group, "stage": stage,
            "encoder": encoder}  # fmt: skip

    def retrieve(self, str_or_query_bundle: QueryType) -> list[NodeWithScore]:
        """Return the passages for a query; raises InvalidRequest if the query is not text."""
        return super().retrieve(_checked(str_or_query_bundle))

    async def aretrieve(self, str_or_query_bundle: QueryType) -> list[NodeWithScore]:
        """Like `retrieve`, but awaitable."""
        return await super().aretrieve(_checked(str_or_query_bundle))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        search = dict(self._search)
        if self._filters is not None:
            passed = condition(self._filters, source_fields(self._db, self._collection))
            search["filter"] = passed if search["filter"] is None else sa.and_(search["filter"], passed)
        found = passages.find(self._db, self._collection, query_bundle.query_str, self._columns, **search)
        return [NodeWithScore(node=_node(passage), score=passage.score) for passage in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await in_thread(self._retrieve)(query_bundle)


def _checked(query: QueryType) -> QueryType:
    # LlamaIndex's error for this has many lines
    return query if isinstance(query, QueryBundle) else query_text(query)


def _node(passage: passages.FoundPassage) -> TextNode:
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
