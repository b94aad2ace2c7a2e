"""Checks of the vectors that encoders and callers give."""

from __future__ import annotations

import numpy as np

from pgencoder.errors import InvalidEncoding, InvalidRequest
from pgencoder.types import Dims, Encoding


def check_query(query: Encoding) -> None:
    """Raise InvalidRequest for a query that no passage can be compared with."""
    if query.dense.ndim != 1 or query.tokens.ndim != 2:
        raise InvalidRequest(
            "a query has a dense vector of shape (d,) and tokens of shape (n, t), got"
            f" {query.dense.shape} and {query.tokens.shape}"
        )
    if not (np.isfinite(query.dense).all() and np.isfinite(query.tokens).all()):
        raise InvalidRequest("the query's vectors hold NaN or infinity; give finite numbers")


def check_encoding(encoding: Encoding, dims: Dims, collection: str) -> Encoding:
    """Return the encoding without what is not stored; raise InvalidEncoding if it has other dimensions, or NaN."""
    if not dims.tokens:
        encoding = Encoding(encoding.dense)
    dense, tokens = np.asarray(encoding.dense), np.asarray(encoding.tokens)
    if dense.shape != (dims.dense,) or tokens.ndim != 2 or tokens.shape[1] != dims.tokens:
        raise InvalidEncoding(
            f"expected a dense vector of {dims.dense} and tokens of {dims.tokens} dimensions, got shapes {dense.shape}"
            f" and {tokens.shape} (collection {collection!r})"
        )
    if not (np.isfinite(dense).all() and np.isfinite(tokens).all()):
        raise InvalidEncoding(f"the encoder returned NaN or infinity ({collection!r})")
    return Encoding(dense, tokens)
