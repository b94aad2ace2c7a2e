"""Reads and writes the nodes of a store.

The table has the columns id, content, metadata, ref_doc_id, node (the node without its text, as JSON) and embedding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

import sqlalchemy as sa
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.vector_stores import MetadataFilters
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from pgencoder.catalog.objects import Objects
from pgencoder.database import Database
from pgencoder.db.connection import vector_schema
from pgencoder.encoders import DenseEncoder, Encoder
from pgencoder.errors import InvalidEncoding, InvalidRequest
from pgencoder.ingest import adopt
from pgencoder.ingest.queue import execute
from pgencoder.integrations import store_table
from pgencoder.integrations.filters import JSONB, Field, catalog, metadata_field, of_json
from pgencoder.integrations.llama_index.filters import condition
from pgencoder.integrations.refusal import as_list, refused, to_json
from pgencoder.integrations.store import Store, checked
from pgencoder.types import Fingerprint
from pgencoder.vectors import normalize

# Names that LlamaIndex's stores have for the document of a node, if the metadata has no such key
DOCUMENT_KEYS = ("ref_doc_id", "doc_id", "document_id")


class GivenVectors(DenseEncoder):
    """An encoder for vectors that come with the nodes: it has only their name and their number of dimensions."""

    def __init__(self, dims: int, name: str) -> None:
        super().__init__(_refuse, name=name, dims=dims)

    @property
    def fingerprint(self) -> Fingerprint:
        """The name and the dimensions as JSON values."""
        return {**super().fingerprint, "encoder": "given"}


def _refuse(_: Sequence[str]) -> NoReturn:
    raise InvalidEncoding("the vectors of this store come with its nodes; add the nodes again")


class Nodes(Store):
    """A store whose documents are nodes; if the vectors are `given`, it encodes nothing itself."""

    kind = store_table.NODES

    def __init__(self, db: Database | str, name: str, encoder: Encoder | None) -> None:
        super().__init__(db, name, encoder, "metadata")
        self.given = isinstance(encoder, GivenVectors)
        generation = self.db.collection(name).generation
        self._dims = generation.dims.dense
        if generation.encoder.get("encoder") == "given" and not self.given:
            raise InvalidRequest(f"the vectors of {name!r} come with its nodes; give embed_dim={self._dims}")
        with self.db.connection() as connection:
            store_table.check_nodes(connection, self.source)
        self._document = self.column("ref_doc_id")

    def add(self, nodes: Sequence[BaseNode]) -> list[str]:
        """Add or replace nodes, all or none, and return all ids; of two nodes with the same id the last counts."""
        ids = self.new_ids(node.node_id for node in nodes)
        if rows := dict(zip(ids, map(self._row, nodes), strict=True)):
            values = [list(rows), *(list(column) for column in zip(*rows.values(), strict=True))]
            if self.given:
                self._write(values)
                self.sync()
            else:
                self.execute("upsert_nodes", *values)
                self.encode(list(rows))
        return ids

    def _row(self, node: BaseNode) -> tuple[str, str, str | None, str, str | None]:
        dumped = node_to_metadata_dict(node, remove_text=True)
        whole = json.loads(dumped["_node_content"])
        vector = self._literal(node) if self.given else None
        return (
            node.get_content(MetadataMode.NONE),
            # not from `dumped`, where the framework adds keys that a node may have too
            to_json(whole["metadata"], "metadata"),
            node.ref_doc_id,
            to_json({**whole, "_node_type": dumped["_node_type"]}, "a node"),
            vector,
        )

    def _literal(self, node: BaseNode) -> str:
        if node.embedding is None:
            raise InvalidRequest(f"the node {node.node_id!r} has no embedding, and this store does not make one")
        return "{" + ",".join(map(str, normalize(checked(node.embedding, self._dims)).tolist())) + "}"

    def _write(self, values: Sequence[Sequence[Any]]) -> None:
        """Write rows and their passages in one transaction."""
        collection = self.db.collection(self.name)
        statement = self.statement("upsert_nodes", collection.generation)
        with refused(), self.db.connection() as connection:
            objects = Objects(collection, vector_schema(connection))
            with connection.transaction():
                adopt.lock(connection, objects)
                execute(connection, statement, values)
                adopt.adopt_rows(connection, objects, "embedding", list(values[0]))

    def sync(self) -> None:
        """Copy the vectors of rows that others have changed or restored, then do what `Store.sync` does."""
        if self.given:
            self.db.adopt(self.name, self.source[1], "embedding", schema=self.source[0])
        super().sync()

    def read(self, ids: Sequence[str]) -> dict[str, BaseNode]:
        """Return the nodes with these ids, without ids that do not exist."""
        found = {}
        for key, content, metadata, whole in self.execute("read_nodes", list(ids)):
            dumped = {"_node_type": whole.pop("_node_type"), "_node_content": json.dumps(whole)}
            node = metadata_dict_to_node(dumped, text=content)
            if node.metadata != metadata:  # someone changed the column; otherwise keep the order of the keys
                node.metadata = metadata
            found[key] = node
        return found

    def where(
        self,
        filters: MetadataFilters | None,
        node_ids: Sequence[str] | None = None,
        doc_ids: Sequence[str] | None = None,
    ) -> ColumnElement[bool] | None:
        """Return the condition that a row has one of these ids and documents and passes the filters; None: all rows."""
        parts = []
        if filters is not None:
            parts.append(condition(filters, self.field))
        if node_ids is not None:
            parts.append(_among(self.id_column, as_list(node_ids, "node_ids")))
        if doc_ids is not None:
            parts.append(_among(self._document, as_list(doc_ids, "doc_ids")))
        return sa.and_(*parts) if parts else None

    def field(self, name: str) -> Field:
        """Return the field for a key of the metadata, or for the node's document."""
        found = metadata_field(self.metadata)(name)
        if name not in DOCUMENT_KEYS:
            return found
        return of_json(sa.func.coalesce(found.value, catalog.to_jsonb(self._document), type_=JSONB))


def _among(column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
    given = sa.cast(sa.literal(list(values), ARRAY(sa.String())), ARRAY(sa.String()))
    return column.op("OPERATOR(pg_catalog.=)", return_type=sa.Boolean())(sa.any_(given))
