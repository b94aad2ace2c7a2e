"""One vector of length 1 for a passage, found by HNSW and compared by the inner product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from psycopg import sql

from pgencoder.errors import InvalidRequest, InvalidSource
from pgencoder.representations.base import Measure, Parameter, Representation, of_relation
from pgencoder.statements import SCHEMA, Part, identifier, raw
from pgencoder.types import Encoding, Matrix
from pgencoder.vectors import Halfvec, Numbers, halfvec, normalize


@dataclass(frozen=True)
class InnerProduct(Measure):
    """The inner product of two vectors of length 1, their cosine."""

    name: str = "dense"

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the numbers of the vector."""
        return {"query_dense": Numbers(_vector(query))}

    def value(self, query: Encoding) -> Halfvec:
        """Return the vector."""
        return Halfvec(_vector(query))

    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the vector."""
        return f"{SCHEMA}._query_dense(CAST({parameters['query_dense']} AS real[]))"

    def score(self, query: str) -> str:
        """Return the inner product."""
        return f"OPERATOR(pg_catalog.-) {self.distance(query)}"

    def relevance(self, score: str, query: str) -> str:  # noqa: ARG002
        """Return the cosine; 0 for one below 0."""
        return f"least(greatest({score}, 0), 1)"

    def distance(self, query: str) -> str:
        """Return the negative inner product, which HNSW orders by."""
        return f"{SCHEMA}._distance({self.name}, {query})"


@dataclass(frozen=True)
class DenseVectors(Representation):
    """A vector of length 1, as `halfvec`."""

    kind: ClassVar[str] = "dense"

    @property
    def measure(self) -> InnerProduct:
        """The cosine."""
        return InnerProduct(self.name)

    def column_type(self, vector: Part) -> Part:
        """Return `halfvec(dims)`."""
        return vector + raw(f".halfvec({self.dims})")

    def index(self, vector: Part) -> Part:
        """Return that of HNSW by the inner product."""
        return sql.SQL("hnsw ({} {}.halfvec_ip_ops)").format(identifier(self.name), vector)

    @property
    def index_bytes(self) -> int:
        """Return the size of the vector and of its links in the graph."""
        return 2 * self.dims + 512

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return the vector with length 1."""
        return (halfvec(normalize(np.asarray(encoding.dense))),)

    def size(self, tokens: int) -> int:  # noqa: ARG002
        """Return the bytes of the vector."""
        return 4 + 2 * self.dims

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> Part:  # noqa: ARG002
        """Return the vector of a column, with length 1."""
        if column is None:
            raise InvalidSource("a column of dense vectors must be given")
        return sql.SQL("{}.l2_normalize({}::{})").format(vector, of_relation(column), self.column_type(vector))


def _vector(query: Encoding) -> Matrix:
    if not len(query.dense):
        raise InvalidRequest("the query has no dense vector; encode it, or search by its words: stage='lexical'")
    return normalize(query.dense)
