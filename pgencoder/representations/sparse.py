"""The weights that a sparse model gives to the words of its vocabulary (SPLADE: Formal et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from pgencoder.errors import InvalidRequest, InvalidSource
from pgencoder.representations.base import Parameter
from pgencoder.representations.terms import TermMeasure, TermWeights, asked
from pgencoder.statements import SCHEMA, Part
from pgencoder.types import Encoding
from pgencoder.vectors import int_array, sparsevec

MOST_WEIGHTS = 256  # of a passage that are kept, the largest
LEVELS = (0.15, 0.3, 0.5, 0.75, 1.0, 1.4, 1.8)  # the least weights of the levels 1 to 7


@dataclass(frozen=True)
class SparseProduct(TermMeasure):
    """The inner product of the weights of a sparse model."""

    name: str = "sparse"

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the weights as the text of a `sparsevec`."""
        return {"query_sparse": self.value(query)}

    def value(self, query: Encoding) -> str:
        """Return the weights as the text of a `sparsevec`."""
        if query.sparse is None:
            raise InvalidRequest(
                "the query has no sparse vector to compare; encode it by the model of the collection, or rank without"
                f" {self.name!r}"
            )
        return query.sparse.to_text()

    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the vector."""
        return f"{SCHEMA}._query_sparse(CAST({parameters['query_sparse']} AS pg_catalog.text))"

    def score(self, query: str) -> str:
        """Return the inner product; 0 without a term of the query, NULL for a query without terms."""
        return f"OPERATOR(pg_catalog.-) {self.distance(query)}"

    def relevance(self, score: str, query: str) -> str:
        """Return the part that the score is of that of a passage with a strong weight for each term of the query."""
        part = f"({score} OPERATOR(pg_catalog./) {asked(query, 'highest')})"
        return f"CASE WHEN {score} IS NOT NULL THEN least({part}, 1) END"


@dataclass(frozen=True)
class Sparse(TermWeights):
    """The largest weights of a passage; `dims` is the size of the vocabulary."""

    kind: ClassVar[str] = "sparse"
    usual: ClassVar[tuple[float, ...]] = (0.08, 0.22, 0.4, 0.62, 0.87, 1.2, 1.6, 2.1)
    # a query has some 50 terms, most of them common: among 1,000 of SciFact's 5,183 passages are 96 of the best 100
    # on average, among 2,000 more than 99
    least: ClassVar[int] = 2_000

    @property
    def measure(self) -> SparseProduct:
        """The inner product."""
        return SparseProduct(self.name)

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return the largest weights, and their elements."""
        assert encoding.sparse is not None
        terms = np.asarray(encoding.sparse.indices(), dtype=np.int32)
        weights = np.asarray(encoding.sparse.values(), dtype=np.float32)
        strongest = np.argsort(-weights, kind="stable")[: min(MOST_WEIGHTS, np.count_nonzero(weights))]
        kept = strongest[np.argsort(terms[strongest])]
        terms, weights = terms[kept], weights[kept]
        levels = np.searchsorted(np.asarray(LEVELS, dtype=np.float32), weights, side="right").astype(np.int32)
        return sparsevec(terms, weights, self.dims), int_array(terms << 3 | levels)

    def size(self, tokens: int) -> int:  # noqa: ARG002
        """Return the most bytes of both columns."""
        return 32 + 16 * MOST_WEIGHTS

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> NoReturn:  # noqa: ARG002
        """Raise InvalidSource."""
        raise InvalidSource(
            "the collection stores vectors of a sparse model, which adopt does not take over; encode the rows:"
            " pgencoder sync"
        )
