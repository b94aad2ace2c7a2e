"""One vector of length 1 for a passage, found by HNSW and compared by the inner product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgencoder.representations.base import Measure, Parameter
from pgencoder.statements import SCHEMA
from pgencoder.types import Encoding
from pgencoder.vectors import Halfvec, Numbers, normalize


@dataclass(frozen=True)
class InnerProduct(Measure):
    """The inner product of two vectors of length 1, their cosine."""

    name: str = "dense"

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the numbers of the vector."""
        return {"query_dense": Numbers(normalize(query.dense))}

    def value(self, query: Encoding) -> Halfvec:
        """Return the vector."""
        return Halfvec(normalize(query.dense))

    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the vector."""
        return f"{SCHEMA}._query_dense(CAST({parameters['query_dense']} AS real[]))"

    def score(self, query: str) -> str:
        """Return the inner product."""
        return f"OPERATOR(pg_catalog.-) {self.distance(query)}"

    def distance(self, query: str) -> str:
        """Return the negative inner product, which HNSW orders by."""
        return f"{SCHEMA}._distance({self.name}, {query})"
