"""One vector of length 1 for each token of a passage, or only its signs; compared by MaxSim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgencoder.errors import InvalidRequest
from pgencoder.representations.base import Measure, Parameter
from pgencoder.statements import SCHEMA
from pgencoder.types import Encoding
from pgencoder.vectors import HalfvecArray, Numbers, normalize


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


def _normalized(query: Encoding) -> NDArray[np.float32]:
    if not len(query.tokens):
        raise InvalidRequest('the query has no tokens to match; give it words, or search with stage="dense"')
    return normalize(query.tokens)
