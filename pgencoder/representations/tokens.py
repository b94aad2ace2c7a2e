"""One vector of length 1 for each token of a passage, or only its signs; compared by MaxSim."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from pgencoder.errors import InvalidRequest, InvalidSource
from pgencoder.representations.base import Measure, Parameter, Representation, of_relation
from pgencoder.representations.pooling import check_pooling, pool
from pgencoder.statements import SCHEMA, Part, raw
from pgencoder.types import Encoding
from pgencoder.vectors import HalfvecArray, Numbers, bit_array, halfvec_array, normalize


@dataclass(frozen=True)
class MaxSim(Measure):
    """The sum, over the tokens of the query, of the best inner product with a token of the passage.

    `function` computes it from the query's tokens, as halves, and the passage's, of whatever type.
    """

    name: str = "tokens"
    function: str = f"{SCHEMA}._score"

    def parameters(self, query: Encoding) -> Mapping[str, Parameter]:
        """Return the numbers of the vectors, one after the other, and how many a vector has."""
        return {"query_tokens": Numbers(_normalized(query)), "token_dims": query.tokens.shape[1]}

    def value(self, query: Encoding) -> HalfvecArray:
        """Return the vectors."""
        return HalfvecArray(_normalized(query))

    def query(self, parameters: Mapping[str, str]) -> str:
        """Return the vectors."""
        return f"{SCHEMA}._query_tokens(CAST({parameters['query_tokens']} AS real[]), {parameters['token_dims']})"

    def score(self, query: str) -> str:
        """Return MaxSim."""
        return f"{self.function}({query}, {self.name})"

    def relevance(self, score: str, query: str) -> str:
        """Return the mean over the tokens of the query, as 0 to 1."""
        mean = f"({score} OPERATOR(pg_catalog./) greatest(pg_catalog.cardinality({query}), 1))"
        return f"least(greatest({mean}, 0), 1)"


@dataclass(frozen=True)
class TokenVectors(Representation):
    """The vectors of the tokens, as an array; with `pooling` one for that many tokens on average, see `pool`."""

    # vectors do not compress: arrays default to EXTENDED, two to three times slower to write for nothing
    storage: ClassVar[str | None] = "EXTERNAL"

    pooling: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pooling(self.pooling)

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the pooling, if there is any."""
        return {} if self.pooling == 1 else {"pooling": self.pooling}

    @property
    def measure(self) -> MaxSim:
        """MaxSim, by the function that knows each type."""
        return MaxSim(self.name)

    @abstractmethod
    def token_type(self, vector: Part) -> Part:
        """Return the type of one vector."""

    def column_type(self, vector: Part) -> Part:
        """Return the type of the array."""
        return self.token_type(vector) + raw("[]")

    def adopted(self, column: str | None, type_: str | None, vector: Part) -> Part:
        """Return the vectors of a column; no vectors without one."""
        if column is None:
            return raw("'{}'::") + self.column_type(vector)
        return self._converted(column, type_ or "", vector)

    @abstractmethod
    def _converted(self, column: str, type_: str, vector: Part) -> Part:
        """Return the vectors of a column of that type."""

    def _halves(self, column: str, vector: Part) -> Part:
        return of_relation(column) + sql.SQL("::{}.halfvec({})[]").format(vector, raw(str(self.dims)))


@dataclass(frozen=True)
class BitTokens(TokenVectors):
    """The signs of the vectors: 1 bit a dimension."""

    kind: ClassVar[str] = "bit"

    def token_type(self, vector: Part) -> Part:  # noqa: ARG002
        """Return `bit(dims)`."""
        return raw(f"bit({self.dims})")

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return the signs."""
        return (bit_array(pool(np.asarray(encoding.tokens), self.pooling)),)

    def size(self, tokens: int) -> int:
        """Return the bytes of the array."""
        return 20 + -(-tokens // self.pooling) * (8 + -(-self.dims // 8))

    def _converted(self, column: str, type_: str, vector: Part) -> Part:
        if type_.startswith("bit"):
            return of_relation(column) + raw("::") + self.column_type(vector)
        return sql.SQL("pgencoder.binary_quantize({})::{}").format(
            self._halves(column, vector), self.column_type(vector)
        )


@dataclass(frozen=True)
class HalfvecTokens(TokenVectors):
    """The vectors with length 1, as halves: 16 bits a dimension."""

    kind: ClassVar[str] = "halfvec"

    def token_type(self, vector: Part) -> Part:
        """Return `halfvec(dims)`."""
        return vector + raw(f".halfvec({self.dims})")

    def pack(self, encoding: Encoding, content: str, halfvec_oid: int) -> tuple[bytes, ...]:  # noqa: ARG002
        """Return the vectors."""
        return (halfvec_array(pool(np.asarray(encoding.tokens), self.pooling), halfvec_oid),)

    def size(self, tokens: int) -> int:
        """Return the bytes of the array."""
        return 20 + -(-tokens // self.pooling) * (8 + 2 * self.dims)

    def _converted(self, column: str, type_: str, vector: Part) -> Part:
        if type_.startswith("bit"):
            raise InvalidSource(f"column {column!r} holds bits, and this generation stores halfvec tokens")
        return sql.SQL(
            "ARRAY(SELECT {}.l2_normalize(t) FROM pg_catalog.unnest({}) WITH ORDINALITY AS u (t, n) ORDER BY n)"
        ).format(vector, self._halves(column, vector))


def _normalized(query: Encoding) -> NDArray[np.float32]:
    if not len(query.tokens):
        raise InvalidRequest('the query has no tokens to match; give it words, or search with stage="dense"')
    return normalize(query.tokens)
